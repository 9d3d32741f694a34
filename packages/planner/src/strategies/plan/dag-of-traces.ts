import { type App, directModes, type Mode, type StaticEdge, type TaskName } from 'fusionize/setup'
import { timeOf } from '../../model/law.js'
import { type Times, timesOf } from '../../model/times.js'
import { type Node, type Tree, treeOf } from '../../model/tree.js'
import type { Profile } from '../../profile/types.js'
import { mean } from '../../statistics/bootstrap.js'
import type { PlannerFacts } from '../../types.js'
import { type Fit, fitTimes } from '../fit.js'
import { type CallDag, type CallTask, checkDag, type DagCall, SCENARIOS } from './call-dag.js'
import { type Seen, spread } from './seen.js'

/** Share of a caller's runs in which two calls are open together, from which on they belong together. */
const BESIDE = 0.5
/** Sizes at which hand-overs are asked for, to fit their law. MB */
const HAND_OVER_SIZES = [128, 256, 512, 1024, 1769, 3008]

/**
 * Requests that were seen as a DAG for the search, for one entry: what each task computes and waits for by the model's law, whom it calls how often, and what
 * it calls at the same time. Scenarios are requests, from the fastest to the slowest. Calls that were never seen are left out, and so is the one that closes a
 * recursion: they stay as they are.
 * @param seen the requests of the first are taken; the others add times at their sizes
 * @throws RangeError when no request entered there
 */
export function dagOfTraces(app: App, entry: TaskName, seen: readonly Seen[], facts: PlannerFacts): CallDag {
  const [first, ...others] = seen
  const mine = (first?.traces ?? []).filter(({ runs }) => runs[0]?.task === entry)
  if (mine.length === 0) throw new RangeError(`no request to '${entry}' was seen`)
  const trees = spread(mine, SCENARIOS).map(treeOf)
  const all = spread(mine).map(treeOf)
  const sets = [all, ...others.map(({ traces }) => spread(traces).map(treeOf))]
  const times = timesOf(sets, { prices: facts.prices, mbPerCore: facts.mbPerCore })
  const profiles = seen.flatMap(({ profile }) => profile ?? [])
  const memory = memoryOf(profiles)
  const nodes = byTask(all)
  const tasks: Record<TaskName, CallTask> = {}
  const open = new Set<TaskName>()
  const visit = (name: TaskName): void => {
    open.add(name)
    const calls = callsOf(app, name, nodes).filter(({ to }) => !open.has(to))
    for (const { to } of calls) if (!tasks[to]) visit(to)
    open.delete(name)
    tasks[name] = { name, ...workOf(name, trees, nodes, times, facts), ownMb: memory.own(name), calls }
  }
  visit(entry)
  const dag: CallDag = {
    name: app.name,
    entry,
    tasks,
    handOver: handOvers(times, facts),
    baseMb: memory.baseMb,
    scenarios: trees.length,
  }
  checkDag(dag)
  return dag
}

function byTask(trees: readonly Tree[]): Map<TaskName, { node: Node; tree: Tree }[]> {
  const found = new Map<TaskName, { node: Node; tree: Tree }[]>()
  for (const tree of trees)
    for (const node of tree.nodes) {
      const list = found.get(node.task)
      if (list) list.push({ node, tree })
      else found.set(node.task, [{ node, tree }])
    }
  return found
}

/** Own work of one run in every scenario; where a request did without the task, what it does on average. */
function workOf(
  name: TaskName,
  trees: readonly Tree[],
  nodes: ReadonlyMap<TaskName, { node: Node }[]>,
  times: Times,
  { mbPerCore }: PlannerFacts,
): Pick<CallTask, 'cpuMs' | 'waitMs' | 'threads'> {
  const threads = times.threads(name) ?? 1
  const split = (node: Node) => {
    const memoryMb = node.memoryMb ?? mbPerCore
    const { workMs } = times.own(node, memoryMb)
    const cpuMs = times.coreMs(name, workMs, memoryMb)
    const took = timeOf({ coreMs: cpuMs, waitMs: 0 }, Math.min(memoryMb, threads * mbPerCore), threads, mbPerCore)
    return { cpuMs, waitMs: Math.max(0, workMs - took) }
  }
  const usual = (nodes.get(name) ?? []).map(({ node }) => split(node))
  const average = { cpuMs: mean(usual.map((x) => x.cpuMs)), waitMs: mean(usual.map((x) => x.waitMs)) }
  const scenarios = trees.map((tree) => {
    const here = tree.nodes.filter(({ task }) => task === name).map(split)
    if (here.length === 0) return average
    return { cpuMs: mean(here.map((x) => x.cpuMs)), waitMs: mean(here.map((x) => x.waitMs)) }
  })
  return {
    cpuMs: Float64Array.from(scenarios, (x) => x.cpuMs),
    waitMs: Float64Array.from(scenarios, (x) => x.waitMs),
    threads,
  }
}

/** The calls of a task in the order in which they begin, those that are open at the same time in groups. */
function callsOf(app: App, name: TaskName, nodes: ReadonlyMap<TaskName, { node: Node; tree: Tree }[]>): DagCall[] {
  const runs = nodes.get(name) ?? []
  const seen = new Map<string, { to: TaskName; mode: Mode; calls: number; place: number }>()
  const together = new Map<string, number>()
  for (const { node, tree } of runs) {
    const keys = node.steps.map(({ child, mode }) => `${mode} ${(tree.nodes[child] as Node).task}`)
    const pairs = new Set<string>()
    for (const [k, step] of node.steps.entries()) {
      const key = keys[k] as string
      const found = seen.get(key) ?? { to: (tree.nodes[step.child] as Node).task, mode: step.mode, calls: 0, place: 0 }
      found.calls++
      found.place += k
      seen.set(key, found)
      for (const [j, other] of node.steps.entries())
        if (j < k && keys[j] !== key && !step.after.includes(j) && !other.after.includes(k) && step.mode !== 'send')
          pairs.add([keys[j], key].sort().join('\n'))
    }
    for (const pair of pairs) together.set(pair, (together.get(pair) ?? 0) + 1)
  }
  const possible = new Set(
    app.edges.filter(({ from }) => from === name).flatMap((edge) => modesOf(edge).map((mode) => `${mode} ${edge.to}`)),
  )
  const groups = groupsOf([...together].filter(([, n]) => n > BESIDE * runs.length).map(([pair]) => pair.split('\n')))
  return [...seen]
    .filter(([key]) => possible.has(key))
    .sort(([, a], [, b]) => a.place / a.calls - b.place / b.calls)
    .map(([key, { to, mode, calls }]) => {
      const group = groups.get(key)
      return { to, mode, times: calls / runs.length, ...(group === undefined || mode === 'send' ? {} : { group }) }
    })
}

function modesOf(edge: StaticEdge): readonly Mode[] {
  return edge.buckets ? [...new Set<Mode>([...directModes(edge), 'send'])] : edge.modes
}

/** By member, the name of its group. */
function groupsOf(pairs: readonly string[][]): Map<string, string> {
  const groups = new Map<string, string>()
  for (const [a, b] of pairs as [string, string][]) {
    const [old, name] = [groups.get(b), groups.get(a) ?? groups.get(b) ?? a]
    for (const [member, group] of groups) if (group === old && old !== undefined) groups.set(member, name)
    groups.set(a, name)
    groups.set(b, name)
  }
  return groups
}

/** The model's hand-over between warm sandboxes, as a law of the caller's size. */
function handOvers(times: Times, { mbPerCore }: PlannerFacts): Record<Mode, Fit> {
  const fit = (mode: Mode): Fit => {
    const at = (memoryMb: number) =>
      times.handOver({ from: '', to: '', mode, memoryMb, callerCold: false, calleeCold: false }, undefined, 0.5)
    return fitTimes(
      HAND_OVER_SIZES.map((memory) => ({ memory, ms: at(memory) })),
      mbPerCore,
    )
  }
  return { call: fit('call'), send: fit('send'), map: fit('map') }
}

/** A common base, and what each task's own function needs beyond it, MB; nothing is known where nobody measured it. */
function memoryOf(profiles: readonly Profile[]): { baseMb: number; own(task: TaskName): number } {
  const peaks = new Map<string, number>()
  for (const profile of profiles)
    for (const { function: fn, peakMb, memory } of Object.values(profile.functions)) {
      // What holds more than its memory is not held to it.
      if (peakMb > memory) return { baseMb: 0, own: () => 0 }
      if (peakMb > 0) peaks.set(fn, Math.max(peaks.get(fn) ?? 0, peakMb))
    }
  const baseMb = peaks.size === 0 ? 0 : Math.min(...peaks.values())
  return { baseMb, own: (task) => Math.max(0, (peaks.get(task) ?? baseMb) - baseMb) }
}
