import type { Label } from './labels.js'

/** What dominance must look at beside cost; leaving out what cannot matter keeps fronts short. */
export interface Matters {
  /** Latency in every scenario; else its mean, which is billed. */
  spread: boolean
  cpu: boolean
  ownMb: boolean
}

/**
 * Labels that no other one of the same marks beats in everything: in every scenario's latency, in cost, and in core time and memory where these matter.
 * All rules of `visit.ts`, and all goals, grow with each of these, so no optimum is lost.
 */
export function undominated(labels: readonly Label[], matters: Matters): Label[] {
  const front = frontOf(matters)
  for (const label of [...labels].sort(byWeight)) {
    const { visit, meanMs, marks } = label
    const kind = front.kindOf(marks)
    if (!front.beats(kind, visit.syncMs, visit.cpuMs, meanMs, visit.ownMb)) front.keep(kind, label)
  }
  return front.labels()
}

export const byWeight = (a: Pick<Label, 'weight' | 'meanMs'>, b: Pick<Label, 'weight' | 'meanMs'>): number =>
  a.weight - b.weight || a.meanMs - b.meanMs

/** How two part plans become one. */
export interface Joining {
  matters: Matters
  /** Latency of both, written into `into`; where core time matters, its sum into `cpuInto`. @returns mean latency */
  take(a: Label, b: Label, into: Float64Array, cpuInto: Float64Array): number
  /** Core time that is still to come, at most: where it then stays below the latency it makes no difference. */
  mostCpuMs?: Float64Array
  agree(a: Label, b: Label): Pick<Label, 'marks'> | undefined
  isHopeless(weight: number, meanMs: number, syncMs: Float64Array): boolean
  make(a: Label, b: Label, syncMs: Float64Array): Omit<Label, 'weight' | 'meanMs' | 'marks'> | undefined
  /** Part plans that may still be looked at. */
  work: { left: number }
}

/** All ways of one with all of the other, as far as none beats them: the cheapest first, so that most are left out before they are made. */
export function joinedOf(all: readonly Label[], others: readonly Label[], joining: Joining): Label[] {
  const [first] = all
  if (!first) return []
  const { matters, take, agree, isHopeless, make, mostCpuMs, work } = joining
  const front = frontOf(matters, mostCpuMs)
  const syncMs = new Float64Array(first.visit.syncMs.length)
  const cpuMs = new Float64Array(syncMs.length)
  // Pairs by number, since most are left out.
  const pairs = all.length * others.length
  const weights = new Float64Array(pairs)
  const means = new Float64Array(pairs)
  for (let p = 0; p < pairs; p++) {
    const [a, b] = [all[Math.floor(p / others.length)] as Label, others[p % others.length] as Label]
    weights[p] = a.weight + b.weight
    means[p] = a.meanMs + b.meanMs
  }
  const order = Uint32Array.from(weights.keys()).sort(
    (p, q) => (weights[p] as number) - (weights[q] as number) || (means[p] as number) - (means[q] as number),
  )
  work.left -= pairs
  for (const p of order) {
    const [a, b] = [all[Math.floor(p / others.length)] as Label, others[p % others.length] as Label]
    const weight = weights[p] as number
    const agreement = a.marks || b.marks ? agree(a, b) : NO_MARKS
    if (!agreement) continue
    const meanMs = take(a, b, syncMs, cpuMs)
    const kind = front.kindOf(agreement.marks)
    if (front.beats(kind, syncMs, cpuMs, meanMs, a.visit.ownMb + b.visit.ownMb) || isHopeless(weight, meanMs, syncMs))
      continue
    const made = make(a, b, syncMs)
    if (made) front.keep(kind, { ...made, weight, meanMs, ...agreement })
  }
  return front.labels()
}

const NO_MARKS: Pick<Label, 'marks'> = {}

/** Labels so far of one kind of marks, in order of weight. */
interface Kind {
  labels: Label[]
  /** The one that beat another last: often it beats the next, too. */
  last: number
}

/** A front in the making, to which labels come in order of weight. */
function frontOf({ spread, cpu, ownMb }: Matters, mostCpuMs?: Float64Array) {
  const kinds = new Map<string, Kind>()
  const isBelow = (a: Label, syncMs: Float64Array, cpuMs: Float64Array, meanMs: number, needsMb: number): boolean => {
    if (a.meanMs > meanMs + TINY || (ownMb && a.visit.ownMb > needsMb)) return false
    if (!spread) return true
    if (!allBelow(a.visit.syncMs, syncMs)) return false
    if (mostCpuMs) return allBelowOrHidden(a.visit.cpuMs, cpuMs, mostCpuMs, syncMs)
    return !cpu || allBelow(a.visit.cpuMs, cpuMs)
  }
  return {
    kindOf(marks: Label['marks']): Kind {
      const key = marks ? keyOf(marks) : ''
      const known = kinds.get(key)
      if (known) return known
      const made = { labels: [], last: 0 }
      kinds.set(key, made)
      return made
    },
    beats(kind: Kind, syncMs: Float64Array, cpuMs: Float64Array, meanMs: number, needsMb: number): boolean {
      const { labels } = kind
      const last = labels[kind.last]
      if (last && isBelow(last, syncMs, cpuMs, meanMs, needsMb)) return true
      for (let i = labels.length - 1; i >= 0; i--)
        if (isBelow(labels[i] as Label, syncMs, cpuMs, meanMs, needsMb)) {
          kind.last = i
          return true
        }
      return false
    },
    keep(kind: Kind, label: Label): void {
      kind.labels.push(label)
    },
    labels: (): Label[] => [...kinds.values()].flatMap(({ labels }) => (spread || ownMb ? labels : onHull(labels))),
  }
}

/**
 * Where only the mean counts, it is billed at some price per ms, whatever runs around it: ways that are cheapest at no price are left out. These are the
 * ones above the lower convex hull of (mean, weight).
 */
function onHull(labels: readonly Label[]): Label[] {
  const hull: Label[] = []
  for (const label of labels) {
    for (let n = hull.length; n >= 2; n--) {
      const [a, b] = [hull[n - 2] as Label, hull[n - 1] as Label]
      const isAbove =
        (b.weight - a.weight) * (a.meanMs - label.meanMs) >= (label.weight - a.weight) * (a.meanMs - b.meanMs)
      if (!isAbove) break
      hull.pop()
    }
    hull.push(label)
  }
  return hull
}

/** Ms by which rounding may differ. */
const TINY = 1e-9

function allBelow(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if ((a[i] as number) > (b[i] as number) + TINY) return false
  return true
}

function allBelowOrHidden(a: Float64Array, b: Float64Array, more: Float64Array, under: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) {
    const ms = a[i] as number
    if (ms > (b[i] as number) + TINY && ms + (more[i] as number) > (under[i] as number)) return false
  }
  return true
}

const keys = new WeakMap<ReadonlyMap<string, string>, string>()

export function keyOf(marks: ReadonlyMap<string, string>): string {
  const known = keys.get(marks)
  if (known !== undefined) return known
  const key = [...marks]
    .map(([k, v]) => `${k}=${v}`)
    .sort()
    .join()
  keys.set(marks, key)
  return key
}
