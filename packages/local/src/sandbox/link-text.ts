import type { PortItem } from './channel.js'

/** Characters of the parts of a message that a ring carries, at most: more is left to the port without looking further. */
const MAX_CHARS = 2048

/**
 * A message of a link as text: heads as JSON, then the texts of the parts, whose lengths stand in their places. Parts are mostly JSON
 * themselves, and to quote them would take longer than all else.
 * @returns undefined when it holds what is no text; `mark`: where the parts begin
 */
export function encodeLink(items: readonly PortItem[]): { text: string; mark: number } | undefined {
  let parts = ''
  const heads: unknown[] = []
  for (const item of items) {
    const head: unknown[] = [item[0]]
    for (let i = 1; i < item.length; i++) {
      const part = item[i]
      if (typeof part === 'string') parts += part
      else if (part !== undefined) return undefined
      head.push(part === undefined ? NOTHING : part.length)
    }
    if (parts.length > MAX_CHARS) return undefined
    heads.push(head)
  }
  const told = JSON.stringify(heads)
  return { text: told + parts, mark: told.length }
}

export function decodeLink({ text, mark }: { text: string; mark: number }): PortItem[] {
  const items = JSON.parse(text.slice(0, mark)) as unknown[][]
  let at = mark
  for (const item of items)
    for (let i = 1; i < item.length; i++) {
      const length = item[i] as number
      item[i] = length === NOTHING ? undefined : text.slice(at, at + length)
      if (length > 0) at += length
    }
  return items as PortItem[]
}

const NOTHING = -1
