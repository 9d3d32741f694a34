/** A stretch of time, ms. */
export type Interval = [start: number, end: number]

/** The same time as disjoint intervals, ascending. */
export function union(intervals: readonly Interval[]): Interval[] {
  const out: Interval[] = []
  for (const [start, end] of [...intervals].sort((a, b) => a[0] - b[0])) {
    if (end <= start) continue
    const last = out.at(-1)
    if (last && start <= last[1]) last[1] = Math.max(last[1], end)
    else out.push([start, end])
  }
  return out
}

/** What of `from` is not in `holes`. @param holes disjoint, ascending */
export function subtract(from: Interval, holes: readonly Interval[]): Interval[] {
  const out: Interval[] = []
  let at = from[0]
  for (const [start, end] of holes) {
    if (end <= at) continue
    if (start >= from[1]) break
    if (start > at) out.push([at, start])
    at = Math.max(at, end)
  }
  if (at < from[1]) out.push([at, from[1]])
  return out
}

/** What of disjoint, ascending intervals is not in `holes` (likewise), in linear time. */
export function subtractAll(from: readonly Interval[], holes: readonly Interval[]): Interval[] {
  const out: Interval[] = []
  let next = 0
  for (const [start, end] of from) {
    while (next < holes.length && (holes[next] as Interval)[1] <= start) next++
    let at = start
    for (let h = next; h < holes.length && (holes[h] as Interval)[0] < end; h++) {
      const [holeStart, holeEnd] = holes[h] as Interval
      if (holeStart > at) out.push([at, holeStart])
      at = Math.max(at, holeEnd)
    }
    if (at < end) out.push([at, end])
  }
  return out
}

export function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [start, end]) => sum + end - start, 0)
}

/**
 * Divides time among those who use it at once: each instant goes in equal parts to all owners with an interval there. The shares add up to
 * the length of the union.
 * @param owned disjoint intervals of each owner
 * @returns per owner
 */
export function shareOut(owned: readonly (readonly Interval[])[]): number[] {
  const shares = owned.map(() => 0)
  const edges = owned
    .flatMap((intervals, owner) =>
      intervals.flatMap(([start, end]) =>
        end > start
          ? [
              { at: start, owner, opens: true },
              { at: end, owner, opens: false },
            ]
          : [],
      ),
    )
    .sort((a, b) => a.at - b.at)
  // Time per owner so far if one had been open throughout: an owner's share is the difference between its two ends.
  let clock = 0
  let open = 0
  let last = 0
  for (const { at, owner, opens } of edges) {
    if (open > 0) clock += (at - last) / open
    last = at
    open += opens ? 1 : -1
    shares[owner] = (shares[owner] as number) + (opens ? -clock : clock)
  }
  return shares
}
