import { FusionizeError } from '../errors.js'
import type { Payload } from './protocol.js'

/**
 * The value as it travels: JSON text, bytes, or nothing.
 * @throws {FusionizeError} `NOT_SERIALIZABLE`: cyclic, a BigInt, or nothing that JSON can say
 */
export function encode(value: unknown): Payload {
  if (value === undefined) return undefined
  if (value instanceof Uint8Array) return value
  return toJson(value)
}

export function decode(payload: Payload): unknown {
  if (typeof payload === 'string') return JSON.parse(payload)
  // A Buffer is a Uint8Array with other methods: the callee must not see which transport it came by.
  if (payload instanceof Uint8Array && payload.constructor !== Uint8Array)
    return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
  return payload
}

/** What the minifier can give a short name, unlike a property of `JSON`. */
export const { stringify } = JSON

/** Bytes on the wire. JSON counts as its length in UTF-16 units, which is its bytes for ASCII. */
export function sizeOf(payload: Payload): number {
  return payload === undefined ? 0 : payload.length
}

/** Estimated wire size of what `copy` copied last. */
export let copiedBytes = 0

/**
 * `decode(encode(value))` without the text: what the callee may keep and change without the caller's noticing.
 * Plain data is copied directly; whatever JSON treats specially (`toJSON`, class instances, cycles…) takes the slow way, so that
 * the result is the same as by wire in every case.
 */
export function copy(value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      copiedBytes = digits(value)
      return value - value === 0 ? value + 0 : null
    case 'string':
      copiedBytes = value.length + 2
      return value
    case 'boolean':
      copiedBytes = 4
      return value
    case 'undefined':
      copiedBytes = 0
      return value
  }
  copiedBytes = 0
  const fast = value instanceof Uint8Array ? copyBytes(value) : copyStructure(value, 0)
  if (fast !== special) return fast
  const text = toJson(value)
  copiedBytes = text.length
  return JSON.parse(text)
}

/** Marks a value that only JSON itself can copy faithfully. */
const special = Symbol('special')
const maxDepth = 200

function copyPlain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      copiedBytes += value.length + 2
      return value
    case 'number':
      copiedBytes += digits(value)
      return value - value === 0 ? value + 0 : null
    case 'boolean':
      copiedBytes += 4
      return value
    case 'object':
      break
    default:
      return special
  }
  return copyStructure(value, depth)
}

/** An object, an array or null. */
function copyStructure(value: unknown, depth: number): unknown {
  if (value === null) {
    copiedBytes += 4
    return null
  }
  if (depth > maxDepth) return special
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return special
    return copyObject(value as Record<string, unknown>, depth)
  }
  return Array.isArray(value) ? copyArray(value, depth) : special
}

function copyBytes(value: Uint8Array): Uint8Array {
  copiedBytes = value.byteLength
  return new Uint8Array(value)
}

function copyArray(value: unknown[], depth: number): unknown {
  copiedBytes += 2
  const out: unknown[] = new Array(value.length)
  for (let i = 0; i < value.length; i++) {
    const item = value[i]
    const copied = item === undefined ? null : copyPlain(item, depth + 1)
    if (copied === special) return special
    out[i] = copied
    copiedBytes++
  }
  return out
}

function copyObject(value: Record<string, unknown>, depth: number): unknown {
  copiedBytes += 2
  const out: Record<string, unknown> = {}
  for (const key in value) {
    if (key === '__proto__') return special
    const item = value[key]
    if (item === undefined) continue
    const copied = copyPlain(item, depth + 1)
    if (copied === special) return special
    out[key] = copied
    copiedBytes += key.length + 4
  }
  return out
}

/** Characters of a number in JSON; 18 for a fraction, which is what most take. */
function digits(n: number): number {
  if ((n | 0) !== n) return 18
  let length = n < 0 ? 2 : 1
  for (let rest = n < 0 ? -n : n; rest > 9; rest = (rest / 10) | 0) length++
  return length
}

function toJson(value: unknown): string {
  let text: string | undefined
  try {
    text = stringify(value)
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw notSerializable((error as Error).message)
    throw error
  }
  if (text === undefined) throw notSerializable(`a ${typeof value} has no JSON form`)
  return text
}

function notSerializable(why: string): FusionizeError {
  const short = why.split('\n')[0]
  return new FusionizeError(
    'NOT_SERIALIZABLE',
    `a task's input or output cannot travel: ${short}; use JSON values, or one Uint8Array`,
  )
}
