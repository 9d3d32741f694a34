import type { LocalPlatform } from '@fusionize/local'
import { type InvocationRecord, parseRecord, spanOf } from 'fusionize/record'

/** All records from a place on, and the next place. */
export async function recordsSince(
  platform: LocalPlatform,
  since?: string,
): Promise<{ records: InvocationRecord[]; next: string | undefined }> {
  const records: InvocationRecord[] = []
  let next = since
  for (let more = true; more; ) {
    const page = await platform.records(next)
    records.push(...page.lines.map(parseRecord))
    more = page.lines.length > 0
    next = page.next
  }
  return { records, next }
}

/** How many invocations began in another sandbox than the one that started them. */
export function crossings(records: readonly InvocationRecord[]): number {
  const sandboxOf = new Map(records.map(({ span, sandbox }) => [span, sandbox]))
  const crossed = records.filter(({ parent, sandbox }) => {
    const from = parent === null ? undefined : sandboxOf.get(spanOf(parent).root)
    return from !== undefined && from !== sandbox
  })
  return crossed.length
}
