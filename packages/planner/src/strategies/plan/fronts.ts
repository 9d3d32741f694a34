import type { TaskName } from 'fusionize/setup'
import { type CallDag, type CallTask, calleesFirst, type DagCall, sharedTasks } from './call-dag.js'
import {
  agreed,
  type Callee,
  type Choice,
  type FunctionLabel,
  type Label,
  type Matters,
  type Thinning,
  thin,
  undominated,
} from './labels.js'
import type { PlanLimits } from './limits.js'
import { stepsOf } from './predictor.js'
import { BUNDLES, meanOf, type Rules, type Visit } from './visit.js'

/** In groups of more calls than this, only a few ways to take each are kept: they multiply. */
const WIDE = 12
const FEW = 4

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
  /** Leaves out part plans that no rest of a plan can make better than what is known. */
  prune?: Pruner
}

/** Judges part plans inside a function: a task's own work and its steps up to one, or what callers see of it. Pure bounds, never wrong. */
export interface Pruner {
  /** By cost alone. */
  isDear(task: TaskName, memoryMb: number, step: number, weight: number, meanMs: number): boolean
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
  const { ladder, limits, most, how, decided, prune, allOrNothing = false } = options
  const shared = sharedTasks(dag)
  const matters = mattersOf(dag, options)
  const inside = new Map<string, Label[]>()
  const functions = new Map<TaskName, FunctionLabel[]>()
  const closed = new Map<string, Callee[]>()
  const parts: Fronts['parts'] = new Map()
  let [thinned, count] = [false, 0]

  const shorten = (labels: Label[], of: Matters, longest = most): Label[] => {
    const front = undominated(labels, of)
    count += front.length
    if (front.length <= longest && !(thinned && allOrNothing)) return front
    thinned ||= front.length > longest
    return thin(front, allOrNothing ? 2 : longest, how)
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
    const mark = (route: string) => (shared.has(call.to) ? new Map([[target, route]]) : undefined)
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
    if (mode !== 'send' || labels.some(({ marks }) => marks) || matters.ownMb) return labels
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
    const found = call.mode === 'send' ? cheapestOf(all) : shortenCallees(all)
    closed.set(key, found)
    return found
  }
  const shortenCallees = (all: readonly Callee[]): Callee[] => {
    const asLabels = all.map((callee): Label & { callee: Callee } => {
      const { replyMs, costUsd } = callee.remote
      const visit = { ...rules.nothing(), syncMs: replyMs, costUsd }
      return { visit, weight: costUsd, meanMs: meanOf(replyMs), callee }
    })
    return shorten(asLabels, { cpu: false, ownMb: false }).map((label) => {
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
    const isHopeful = ({ visit, weight, meanMs }: Label) =>
      !prune?.isHopelessStep(caller, memoryMb, at, visit.syncMs, weight, meanMs)
    const [first] = step as [DagCall]
    if (step.length === 1) return shorten(addedBy(first, caller, memoryMb).filter(isHopeful), matters)
    const of = { ...matters, cpu: true }
    const wide = step.length > WIDE
    const members = step.map((call) => shorten(addedBy(call, caller, memoryMb), of, wide ? FEW : most))
    for (const [i, call] of step.entries())
      least.set(call, Math.min(...(members[i] as Label[]).map(({ weight }) => weight)))
    let open = step.reduce((sum, call) => sum + (least.get(call) as number), 0)
    let groups: Label[] = [nothing]
    for (const [i, call] of step.entries()) {
      open -= least.get(call) as number
      const joined = groups.flatMap((group) =>
        (members[i] as Label[]).flatMap((member) => {
          const marks = both(group, member)
          if (!marks) return []
          const choice = { ...(member.choice as Choice), ...past(group.choice) }
          const label = labelOf(rules.join(group.visit, member.visit), memoryMb, { ...marks, choice })
          const syncMs = prune && !wide ? rules.beside(rules.nothing(), label.visit).syncMs : label.visit.syncMs
          const atLeast = label.weight + open
          if (!wide && prune?.isHopelessStep(caller, memoryMb, at, syncMs, atLeast, meanOf(syncMs))) return []
          return [label]
        }),
      )
      groups = shorten(joined, of)
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
    return steps.reduce<Label[]>(
      (front, options, i) => {
        const joined: Label[] = []
        for (const host of front)
          for (const option of options) {
            const weight = host.weight + option.weight
            const meanMs = host.meanMs + option.meanMs
            if (prune?.isDear(task.name, memoryMb, i, weight, meanMs)) continue
            const marks = both(host, option)
            if (!marks) continue
            const visit = rules.after(host.visit, option.visit)
            if (!rules.fits(visit, memoryMb) || prune?.isHopeless(task.name, memoryMb, i, visit.syncMs, weight, meanMs))
              continue
            joined.push({
              visit,
              weight,
              meanMs,
              ...marks,
              choice: { ...(option.choice as Choice), ...past(host.choice) },
            })
          }
        return shorten(joined, matters)
      },
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

/** Core time matters only where calls are open beside others, or where items of a map share cores; memory only where it could run out. */
function mattersOf(dag: CallDag, { ladder, limits }: FrontOptions): Matters {
  const tasks = Object.values(dag.tasks)
  const all = tasks.reduce((sum, { ownMb }) => sum + ownMb, dag.baseMb)
  const maps = tasks.some(({ calls }) => calls.some(({ mode }) => mode === 'map'))
  const groups = tasks.some(({ calls }) => calls.some(({ group }) => group !== undefined))
  return { cpu: maps || groups, ownMb: maps ? all > dag.baseMb : all > limits.filled * (ladder[0] ?? 0) }
}
