import type { InvocationRecord } from 'fusionize/record'

/**
 * Records as a platform bills them whose sandboxes take several invocations at a time: a busy period once (BASELINES, `photons` 6). Each moment is shared among the
 * invocations that were open in the sandbox then, so that their times add up to the time in which it was busy. Others stay as they are.
 */
export function billedOnce(records: readonly InvocationRecord[]): InvocationRecord[] {
  const bySandbox = new Map<string, number[]>()
  for (const [i, { sandbox }] of records.entries()) {
    const known = bySandbox.get(sandbox)
    if (known) known.push(i)
    else bySandbox.set(sandbox, [i])
  }
  const billed = [...records]
  for (const own of bySandbox.values()) {
    const edges = own
      .flatMap((i) => {
        const { start, wall } = records[i] as InvocationRecord
        return [
          { at: start, i, opens: true },
          { at: start + wall, i, opens: false },
        ]
      })
      .sort((a, b) => a.at - b.at)
    const shares = new Map(own.map((i) => [i, 0]))
    let [clock, open, last] = [0, 0, 0]
    for (const { at, i, opens } of edges) {
      if (open > 0) clock += (at - last) / open
      last = at
      open += opens ? 1 : -1
      shares.set(i, (shares.get(i) ?? 0) + (opens ? -clock : clock))
    }
    for (const [i, wall] of shares) {
      const record = records[i] as InvocationRecord
      if (wall < record.wall - 1e-3) billed[i] = { ...record, wall }
    }
  }
  return billed
}
