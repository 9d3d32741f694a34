import type { DagCall } from './call-dag.js'
import type { Remote, Visit } from './visit.js'

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

/** What dominance must look at beside latency and cost; leaving out what cannot matter keeps fronts short. */
export interface Matters {
  cpu: boolean
  ownMb: boolean
}

/**
 * Labels that no other one of the same marks beats in everything: in every scenario's latency, in cost, and in core time and memory where these matter.
 * All rules of `visit.ts`, and all goals, grow with each of these, so no optimum is lost.
 */
export function undominated(labels: Label[], matters: Matters): Label[] {
  if (labels.length < 2) return labels
  labels.sort((a, b) => a.weight - b.weight || a.meanMs - b.meanMs)
  const kept = new Map<string, Label[]>()
  for (const label of labels) {
    const key = label.marks ? keyOf(label.marks) : ''
    const front = kept.get(key)
    if (!front) kept.set(key, [label])
    else if (!front.some((other) => beats(other, label, matters))) front.push(label)
  }
  return kept.size === 1 ? (kept.values().next().value as Label[]) : [...kept.values()].flat()
}

/** @param a the cheaper one */
function beats(a: Label, b: Label, matters: Matters): boolean {
  return (
    a.meanMs <= b.meanMs + TINY &&
    (!matters.ownMb || a.visit.ownMb <= b.visit.ownMb) &&
    allBelow(a.visit.syncMs, b.visit.syncMs) &&
    (!matters.cpu || allBelow(a.visit.cpuMs, b.visit.cpuMs))
  )
}

/** Ms by which rounding may differ. */
const TINY = 1e-9

function allBelow(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if ((a[i] as number) > (b[i] as number) + TINY) return false
  return true
}

const keyOf = (marks: ReadonlyMap<string, string>) =>
  [...marks]
    .map(([k, v]) => `${k}=${v}`)
    .sort()
    .join()

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
export function thin(labels: Label[], most: number, how: Thinning): Label[] {
  if (labels.length <= most) return labels
  const byMarks = new Map<string, Label[]>()
  for (const label of labels) {
    const key = label.marks ? keyOf(label.marks) : ''
    byMarks.set(key, [...(byMarks.get(key) ?? []), label])
  }
  // Too many kinds of marks: a bound may forget them, what is to exist may not.
  if (byMarks.size > most / 2)
    return clusters(labels, most).map((of) => {
      const { marks, ...label } = standIn(of, how)
      return how === 'restrict' && marks ? { ...label, marks } : label
    })
  const share = Math.max(2, Math.floor(most / byMarks.size))
  return [...byMarks.values()].flatMap((front) =>
    front.length <= share ? front : clusters(front, share).map((of) => standIn(of, how)),
  )
}

/** Neighbours by weight, equally many in each: on a front those of like weight are alike in the rest. */
function clusters(front: readonly Label[], count: number): Label[][] {
  const sorted = [...front].sort((a, b) => a.weight - b.weight || b.meanMs - a.meanMs)
  return Array.from({ length: count }, (_, i) =>
    sorted.slice(Math.floor((i * sorted.length) / count), Math.floor(((i + 1) * sorted.length) / count)),
  )
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
