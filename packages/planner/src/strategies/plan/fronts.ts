import type { TaskName } from 'fusionize/setup'
import { type CallDag, type CallTask, calleesFirst, type DagCall, sharedTasks } from './call-dag.js'
import { joinedOf, type Matters, undominated } from './dominance.js'
import { agreed, type Callee, type Choice, type FunctionLabel, type Label, type Thinning, thin } from './labels.js'
import type { PlanLimits } from './limits.js'
import { mattersOf } from './matters.js'
import { stepsOf } from './predictor.js'
import { type Rest, restsOf } from './rests.js'
import { BUNDLES, meanOf, type Rules, type Visit } from './visit.js'

/** Price by which cost and latency are weighed where a front is made shorter; bounds hold at any. */
const TYPICAL_MB = 1024

/** How far the search goes. */
export interface FrontOptions {
  ladder: readonly number[]
  limits: PlanLimits
  /** Labels of a front at most. */
  most: number
  how: Thinning
  /** Whether a thinned search is worth nothing, so that it ends quickly once it must thin. */
  allOrNothing?: boolean
  /** Functions that are decided: shared ones, by a branch. */
  decided: ReadonlyMap<TaskName, FunctionLabel>
  /** Whether the goal looks at latency. */
  latencyCounts: boolean
  /** Part plans that may be looked at before fronts are cut short. */
  mostWork?: number
  /** Leaves out part plans that no rest of a plan can make better than what is known. */
  prune?: Pruner
}

/** Judges part plans inside a function: a task's own work and its steps up to one, or what callers see of it. Pure bounds, never wrong. */
export interface Pruner {
  isHopeless(
    task: TaskName,
    memoryMb: number,
    step: number,
    syncMs: Float64Array,
    weight: number,
    meanMs: number,
  ): boolean
  /** What one step adds, or a part of its calls with the least weight of the others. */
  isHopelessStep(
    task: TaskName,
    memoryMb: number,
    step: number,
    syncMs: Float64Array,
    weight: number,
    meanMs: number,
  ): boolean
  isHopelessCallee(task: TaskName, replyMs: Float64Array, costUsd: number): boolean
}

export interface Fronts {
  /** All ways to run the entry that may be best. */
  entry: FunctionLabel[]
  functions(task: TaskName): FunctionLabel[]
  /** By `task memory`: own work, what each step can add, and the least weight of each call in a group. */
  parts: Map<string, { own: Label; steps: Label[][]; least: Map<DagCall, number> }>
  /** What callers can see of a callee. */
  callees(call: DagCall): Callee[]
  /** Whether some front was made shorter than it is. */
  thinned: boolean
  labels: number
}

/**
 * Fronts of part plans, callees before callers: for every task and size, the undominated ways to run it inside a function of that size; from these, of
 * every task, the undominated ways to run it as a function of its own. Complete unless a front had to be thinned.
 */
export function frontsOf(dag: CallDag, rules: Rules, options: FrontOptions): Fronts {
  const { ladder, limits, most, how, decided, prune, allOrNothing = false, mostWork } = options
  const shared = sharedTasks(dag)
  const mattersIn = mattersOf(dag, options)
  const inside = new Map<string, Label[]>()
  const functions = new Map<TaskName, FunctionLabel[]>()
  const closed = new Map<string, Callee[]>()
  const parts: Fronts['parts'] = new Map()
  const keepsMb = mattersIn(dag.entry).ownMb
  const work = { left: mostWork ?? Number.POSITIVE_INFINITY }
  let [thinned, count] = [false, 0]

  const shorten = (labels: Label[], of: Matters, longest = most): Label[] => {
    return shortened(undominated(labels, of), longest)
  }
  const shortened = (front: Label[], longest = most): Label[] => {
    count += front.length
    const isTooMuch = front.length > longest || work.left < 0
    if (!isTooMuch && !(thinned && allOrNothing)) return front
    thinned ||= isTooMuch
    return thin(front, allOrNothing ? 2 : longest, how, rules.usdPerMs(TYPICAL_MB))
  }
  const labelOf = (visit: Visit, memoryMb: number, more: Pick<Label, 'choice' | 'marks'>): Label => ({
    visit,
    weight: visit.costUsd + rules.usdPerMs(memoryMb) * visit.afterMs,
    meanMs: meanOf(visit.syncMs),
    ...more,
  })

  const nothing = labelOf(rules.nothing(), ladder[0] ?? 0, {})

  /** What one call can add to its caller, by how it is taken. */
  const addedBy = (call: DagCall, caller: TaskName, memoryMb: number): Label[] => {
    const host = nothing
    const found: Label[] = []
    const target = `${call.mode} ${call.to}`
    // A bound may let two runs of a task inside one function differ.
    const mark = (route: string) => (how === 'restrict' && shared.has(call.to) ? new Map([[target, route]]) : undefined)
    if (limits.mayInline(caller, call.to))
      for (const label of cheapestOfSends(call, inside.get(`${call.to} ${memoryMb}`) ?? [], memoryMb)) {
        const own = agreed(mark('inline'), label.marks)
        const marks = own && agreed(host.marks, own.marks)
        if (!marks || !limits.agree(marks.marks)) continue
        const visit = rules.inline(host.visit, call, label.visit, memoryMb)
        if (rules.fits(visit, memoryMb))
          found.push(labelOf(visit, memoryMb, { ...marks, choice: { call, inline: label, bundle: 1 } }))
      }
    if (limits.mustInline(caller, call.to)) return found
    for (const { fn, remote, bundle } of calleesOf(call)) {
      const marks = agreed(host.marks, mark(`remote ${bundle}`))
      if (!marks) continue
      const visit = rules.remote(host.visit, call, remote, memoryMb)
      found.push(labelOf(visit, memoryMb, { ...marks, choice: { call, remote: fn, bundle } }))
    }
    return found
  }
  /** Nobody waits for a send: only the cheapest way counts. */
  const cheapestOfSends = ({ mode }: DagCall, labels: readonly Label[], memoryMb: number): readonly Label[] => {
    if (mode !== 'send' || labels.some(({ marks }) => marks) || keepsMb) return labels
    const price = rules.usdPerMs(memoryMb)
    return labels.length < 2
      ? labels
      : [labels.reduce((a, b) => (b.weight + price * b.meanMs < a.weight + price * a.meanMs ? b : a))]
  }
  const calleesOf = (call: DagCall): Callee[] => {
    const items = call.mode === 'map' ? call.times : undefined
    const key = `${call.to} ${call.mode} ${items ?? ''}`
    const known = closed.get(key)
    if (known) return known
    const bundles = items === undefined ? [1] : BUNDLES.filter((bundle) => bundle <= items)
    const all = (functions.get(call.to) ?? []).flatMap((fn) =>
      bundles
        .filter((bundle) => rules.fits(fn.label.visit, fn.memoryMb, bundle))
        .map((bundle): Callee => ({ fn, bundle, remote: rules.close(fn.label.visit, fn.memoryMb, items, bundle) }))
        .filter(
          ({ remote }) => items !== undefined || !prune?.isHopelessCallee(call.to, remote.replyMs, remote.costUsd),
        ),
    )
    const found = call.mode === 'send' ? cheapestOf(all) : shortenCallees(call, all)
    closed.set(key, found)
    return found
  }
  const shortenCallees = (call: DagCall, all: readonly Callee[]): Callee[] => {
    const asLabels = all.map((callee): Label & { callee: Callee } => {
      const { replyMs, costUsd } = callee.remote
      const visit = { ...rules.nothing(), syncMs: replyMs, costUsd }
      return { visit, weight: costUsd, meanMs: meanOf(replyMs), callee }
    })
    return shorten(asLabels, { spread: mattersIn(call.to).spread, cpu: false, ownMb: false }).map((label) => {
      const { callee, visit } = label as (typeof asLabels)[number]
      return { ...callee, remote: { replyMs: visit.syncMs, costUsd: visit.costUsd } }
    })
  }

  /** What one step can add: a call, or several that are open at the same time. */
  const stepOf = (
    step: readonly DagCall[],
    at: number,
    caller: TaskName,
    memoryMb: number,
    least: Map<DagCall, number>,
  ): Label[] => {
    const matters = mattersIn(caller)
    const isHopeful = (weight: number, meanMs: number, syncMs: Float64Array) =>
      !prune?.isHopelessStep(caller, memoryMb, at, syncMs, weight, meanMs)
    const [first] = step as [DagCall]
    if (step.length === 1)
      return shorten(
        addedBy(first, caller, memoryMb).filter(({ weight, meanMs, visit }) => isHopeful(weight, meanMs, visit.syncMs)),
        matters,
      )
    const all = step.map((call) => {
      const labels = shorten(addedBy(call, caller, memoryMb), { ...matters, spread: true, cpu: true })
      const weight = Math.min(...labels.map((label) => label.weight))
      least.set(call, weight)
      return { call, labels, weight, meanMs: Math.min(...labels.map(({ meanMs }) => meanMs)) }
    })
    // The slowest first: what they take hides most ways of the others.
    const members = all.sort((a, b) => b.meanMs - a.meanMs)
    const rests = restsOf(members.map(({ labels }) => labels))
    let open = members.reduce((sum, { weight }) => sum + weight, 0)
    let groups: Label[] = [nothing]
    for (const [i, member] of members.entries()) {
      const { atLeastMs, leastCpuMs, mostCpuMs } = rests[i] as Rest
      open -= member.weight
      const front = joinedOf(groups, member.labels, {
        matters: { ...matters, spread: true, cpu: true },
        take(group, { visit }, into, cpuInto) {
          let sum = 0
          for (let s = 0; s < into.length; s++) {
            const cpuMs = (group.visit.cpuMs[s] as number) + (visit.cpuMs[s] as number)
            const longest = Math.max(group.visit.syncMs[s] as number, visit.syncMs[s] as number)
            const ms = Math.max(longest, atLeastMs[s] as number, cpuMs + (leastCpuMs[s] as number))
            cpuInto[s] = cpuMs
            into[s] = ms
            sum += ms
          }
          return sum / into.length
        },
        ...(matters.cpu ? {} : { mostCpuMs }),
        agree: both,
        isHopeless: (weight, meanMs, syncMs) => !isHopeful(weight + open, meanMs, syncMs),
        make: (group, label, syncMs) => ({
          visit: { ...rules.join(group.visit, label.visit), syncMs: Float64Array.from(syncMs) },
          choice: { ...(label.choice as Choice), ...past(group.choice) },
        }),
        work,
      })
      groups = shortened(front)
    }
    const whole = groups.map(({ visit, choice, marks }) =>
      labelOf(rules.beside(rules.nothing(), visit), memoryMb, {
        ...(marks ? { marks } : {}),
        choice: { call: first, bundle: 1, ...(choice ? { group: choice } : {}) },
      }),
    )
    return shorten(whole, matters)
  }
  const both = (a: Label, b: Label) => {
    const marks = agreed(a.marks, b.marks)
    return marks && limits.agree(marks.marks) ? marks : undefined
  }

  /** Own work and one step after the other; what a step adds does not depend on the others. */
  const visitsOf = (task: CallTask, memoryMb: number): Label[] => {
    const own = rules.own(task, memoryMb)
    if (!rules.fits(own, memoryMb) || !limits.mayRun(task.name, memoryMb)) return []
    const marks = limits.marksOf(task.name)
    const least = new Map<DagCall, number>()
    const steps = stepsOf(task).map((step, i) => stepOf(step, i, task.name, memoryMb, least))
    const start = labelOf(own, memoryMb, marks ? { marks } : {})
    parts.set(`${task.name} ${memoryMb}`, { own: start, steps, least })
    const matters = mattersIn(task.name)
    return steps.reduce<Label[]>(
      (front, options, i) =>
        shortened(
          joinedOf(front, options, {
            matters,
            take(host, option, into, cpuInto) {
              if (matters.spread) addInto(into, host.visit.syncMs, option.visit.syncMs)
              if (matters.cpu) addInto(cpuInto, host.visit.cpuMs, option.visit.cpuMs)
              return host.meanMs + option.meanMs
            },
            agree: both,
            isHopeless: (weight, meanMs, syncMs) =>
              prune?.isHopeless(task.name, memoryMb, i, syncMs, weight, meanMs) ?? false,
            make(host, option) {
              const visit = rules.after(host.visit, option.visit)
              if (!rules.fits(visit, memoryMb)) return undefined
              return { visit, choice: { ...(option.choice as Choice), ...past(host.choice) } }
            },
            work,
          }),
        ),
      [start],
    )
  }

  for (const name of calleesFirst(dag)) {
    const task = dag.tasks[name] as CallTask
    for (const memoryMb of ladder) inside.set(`${name} ${memoryMb}`, visitsOf(task, memoryMb))
    const fixed = decided.get(name)
    const all = ladder
      .filter((memoryMb) => limits.mayHost(name, memoryMb))
      .flatMap((memoryMb) =>
        (inside.get(`${name} ${memoryMb}`) ?? []).map((label) => ({ task: name, memoryMb, label })),
      )
    functions.set(name, fixed ? [fixed] : all)
  }
  return {
    entry: functions.get(dag.entry) ?? [],
    functions: (task) => functions.get(task) ?? [],
    parts,
    callees: calleesOf,
    thinned,
    labels: count,
  }
}

function cheapestOf(all: readonly Callee[]): Callee[] {
  const [first] = all
  return first ? [all.reduce((a, b) => (b.remote.costUsd < a.remote.costUsd ? b : a), first)] : []
}

const past = (before: Choice | undefined) => (before ? { before } : {})

function addInto(into: Float64Array, a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = (a[i] as number) + (b[i] as number)
}
