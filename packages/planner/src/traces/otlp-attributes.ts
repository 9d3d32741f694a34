import { type Document, isObject, listOf } from './format.js'

export type Attribute = string | number | boolean

/** OTLP's list of attributes as an object; lists and maps in it are left out. The first of a name counts. */
export function attributesOf(list: unknown): Record<string, Attribute> {
  const found: Record<string, Attribute> = Object.create(null)
  for (const entry of listOf(list)) {
    if (!isObject(entry) || typeof entry.key !== 'string' || entry.key in found) continue
    const value = anyValue(entry.value)
    if (value !== undefined) found[entry.key] = value
  }
  return found
}

function anyValue(value: unknown): Attribute | undefined {
  if (!isObject(value)) return undefined
  const { stringValue, boolValue, doubleValue, intValue }: Document = value
  if (typeof stringValue === 'string') return stringValue
  if (typeof boolValue === 'boolean') return boolValue
  // 64-bit integers are strings in JSON (Protocol Buffers' mapping), and numbers where a writer did not care.
  const number = intValue ?? doubleValue
  if (typeof number === 'number') return number
  return typeof number === 'string' && number !== '' && Number.isFinite(Number(number)) ? Number(number) : undefined
}

/** The first of the names that has a text. */
export function textOf(attributes: Record<string, Attribute>, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = attributes[name]
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

/** The first of the names that has a number, as number or text. */
export function numberOf(attributes: Record<string, Attribute>, ...names: string[]): number | undefined {
  for (const name of names) {
    const value = attributes[name]
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof number === 'number' && Number.isFinite(number)) return number
  }
  return undefined
}
