import type { Label } from './labels.js'

/** What calls of a group that are not taken yet come to, whatever way each is taken. */
export interface Rest {
  /** Latency of the longest, at least. */
  atLeastMs: Float64Array
  leastCpuMs: Float64Array
  mostCpuMs: Float64Array
}

/** By member: the rest after it. */
export function restsOf(members: readonly (readonly Label[])[]): Rest[] {
  const scenarios = members[0]?.[0]?.visit.syncMs.length ?? 0
  const zero = new Float64Array(scenarios)
  const rests: Rest[] = [{ atLeastMs: zero, leastCpuMs: zero, mostCpuMs: zero }]
  for (const labels of members.slice(1).reverse()) {
    const { atLeastMs, leastCpuMs, mostCpuMs } = rests[0] as Rest
    const over = (of: (label: Label) => Float64Array, worse: (a: number, b: number) => number, s: number) =>
      labels.reduce((found, label) => worse(found, of(label)[s] as number), of(labels[0] as Label)[s] as number)
    const cpuOf = ({ visit }: Label) => visit.cpuMs
    if (labels.length === 0) return members.map(() => rests[0] as Rest)
    rests.unshift({
      atLeastMs: atLeastMs.map((ms, s) =>
        Math.max(
          ms,
          over(({ visit }) => visit.syncMs, Math.min, s),
        ),
      ),
      leastCpuMs: leastCpuMs.map((ms, s) => ms + over(cpuOf, Math.min, s)),
      mostCpuMs: mostCpuMs.map((ms, s) => ms + over(cpuOf, Math.max, s)),
    })
  }
  return rests
}
