import type { DagCall } from './call-dag.js'
import { keyOf } from './dominance.js'
import { meanOf, type Remote, type Visit } from './visit.js'

/** One way to run a task inside a function of a given size, with all decisions below it: a part plan. */
export interface Label {
  visit: Visit
  /** What of its cost does not depend on who waits for it: remote callees, and the host's bill of after-reply work. USD */
  weight: number
  meanMs: number
  choice?: Choice
  /** Routes of targets, and tasks inside, on which the rest of the function must agree; absent when there are none. */
  marks?: ReadonlyMap<string, string>
}

/** The last decision of a label, and those before it. */
export interface Choice {
  call: DagCall
  /** The callee's part plan inside the same function, or its own function. */
  inline?: Label
  remote?: FunctionLabel
  bundle: number
  before?: Choice
  /** Decisions of a group, when this is one. */
  group?: Choice
}

/** One way to run a task as a function of its own. */
export interface FunctionLabel {
  task: string
  memoryMb: number
  label: Label
}

/** Marks of both, or undefined when they disagree. */
export function agreed(
  a: ReadonlyMap<string, string> | undefined,
  b: ReadonlyMap<string, string> | undefined,
): { marks?: ReadonlyMap<string, string> } | undefined {
  if (!a || !b) return a || b ? { marks: (a ?? b) as ReadonlyMap<string, string> } : {}
  const marks = new Map(a)
  for (const [key, value] of b) {
    const known = marks.get(key)
    if (known !== undefined && known !== value) return undefined
    marks.set(key, value)
  }
  return { marks }
}

/** How a front that has grown too long is made shorter. */
export type Thinning = 'restrict' | 'relax'

/**
 * At most `most` labels, spread evenly over the front. `restrict` keeps some, so what is found with them exists; `relax` stands neighbours in for each other by
 * what is best of each, so what is found with them is a lower bound (restricted and relaxed decision diagrams; Bergman et al. 2016).
 */
export function thin(labels: Label[], most: number, how: Thinning, usdPerMs: number): Label[] {
  if (labels.length <= most) return labels
  const byMarks = new Map<string, Label[]>()
  for (const label of labels) {
    const key = label.marks ? keyOf(label.marks) : ''
    byMarks.set(key, [...(byMarks.get(key) ?? []), label])
  }
  // Too many kinds of marks: a bound may forget them, what is to exist may not.
  if (byMarks.size > most / 2)
    return clusters(labels, most, usdPerMs).map((of) => {
      const { marks, ...label } = standIn(of, how)
      return how === 'restrict' && marks ? { ...label, marks } : label
    })
  const share = Math.max(2, Math.floor(most / byMarks.size))
  return [...byMarks.values()].flatMap((front) =>
    front.length <= share ? front : clusters(front, share, usdPerMs).map((of) => standIn(of, how)),
  )
}

/**
 * Labels that are alike in weight, latency and core time: the widest cluster is halved at the middle of what it is widest in, until there are enough.
 * @param usdPerMs what makes USD and ms comparable
 */
function clusters(front: readonly Label[], count: number, usdPerMs: number): Label[][] {
  const sides: ((label: Label) => number)[] = [
    ({ weight }) => weight / usdPerMs,
    ({ meanMs }) => meanMs,
    ({ visit }) => meanOf(visit.cpuMs),
  ]
  const points = new Map(front.map((label) => [label, sides.map((side) => side(label))]))
  const at = (label: Label, side: number) => (points.get(label) as number[])[side] as number
  const boxOf = (of: readonly Label[]) => {
    const ends = sides.map((_, side) => {
      const values = of.map((label) => at(label, side))
      return [Math.min(...values), Math.max(...values)] as const
    })
    const widths = ends.map(([low, high]) => high - low)
    const widest = widths.indexOf(Math.max(...widths))
    const [low, high] = ends[widest] as (typeof ends)[number]
    return { of, width: widths.reduce((sum, width) => sum + width, 0), widest, middle: (low + high) / 2 }
  }
  const boxes = [boxOf(front)]
  while (boxes.length < count) {
    const i = boxes.reduce((best, box, at) => (box.width > (boxes[best] as typeof box).width ? at : best), 0)
    const { of, widest, middle } = boxes[i] as (typeof boxes)[number]
    const below = of.filter((label) => at(label, widest) <= middle)
    if (below.length === of.length) break
    const above = of.filter((label) => at(label, widest) > middle)
    boxes[i] = boxOf(below)
    boxes.push(boxOf(above))
  }
  return boxes.map((box) => [...box.of])
}

function standIn(cluster: readonly Label[], how: Thinning): Label {
  const cheapest = cluster.reduce((a, b) => (b.weight < a.weight ? b : a))
  if (how === 'restrict' || cluster.length === 1) return cheapest
  const least = (of: (visit: Visit) => Float64Array) => {
    const all = cluster.map(({ visit }) => of(visit))
    return (all[0] as Float64Array).map((_, i) => Math.min(...all.map((values) => values[i] as number)))
  }
  const smallest = (of: (visit: Visit) => number) => Math.min(...cluster.map(({ visit }) => of(visit)))
  const syncMs = least((visit) => visit.syncMs)
  const visit: Visit = {
    syncMs,
    cpuMs: least(({ cpuMs }) => cpuMs),
    // Cost and after-reply work count together: what is cheapest in their sum is a bound for both.
    afterMs: cheapest.visit.afterMs,
    costUsd: cheapest.visit.costUsd,
    ownMb: smallest(({ ownMb }) => ownMb),
  }
  return { ...cheapest, visit, meanMs: syncMs.reduce((sum, ms) => sum + ms, 0) / syncMs.length }
}

/** A function as callers see it, with what it costs them. */
export interface Callee {
  fn: FunctionLabel
  remote: Remote
  bundle: number
}
