import type { Mode, TaskName } from 'fusionize/setup'
import { normalQuantile } from '../../statistics/normal.js'
import { seededRandom } from '../../statistics/random.js'
import type { Fit } from '../fit.js'

/** What one task does in a run, without its calls. Index = scenario: one request, drawn or recorded. */
export interface CallTask {
  name: TaskName
  /** Computing, at one full core, ms. */
  cpuMs: Float64Array
  /** Waiting that no memory shortens, ms. */
  waitMs: Float64Array
  /** Cores that its computing can use. */
  threads: number
  /** What it adds to a sandbox's memory, MB. */
  ownMb: number
  /** In the order in which it makes them. */
  calls: DagCall[]
}

export interface DagCall {
  to: TaskName
  mode: Mode
  /** Calls or sends per run of the caller; of a map its items. */
  times: number
  /** Calls of one caller with the same group are open at the same time. */
  group?: string
}

/** An application as the search sees it: who calls whom how often, and what each task does in every scenario. */
export interface CallDag {
  name: string
  entry: TaskName
  tasks: Record<TaskName, CallTask>
  /** Hand-over of a remote call, send or bundle, by memory of the caller (PAPERS §1). */
  handOver: Record<Mode, Fit>
  /** Memory that every sandbox takes, MB. */
  baseMb: number
  scenarios: number
}

/** Mean and spread of a task's own work, to draw scenarios from where no requests were recorded. */
export interface TaskFigures {
  name: TaskName
  cpuMs: number
  waitMs: number
  /** Standard deviation / mean. @default 0.2 */
  variation?: number
  threads?: number
  ownMb?: number
  calls?: DagCall[]
}

export interface DagFigures {
  name: string
  entry: TaskName
  tasks: readonly TaskFigures[]
  handOver: Record<Mode, Fit>
  baseMb?: number
}

/** Scenarios of the search: a 95th percentile is then the fourth largest of them. */
export const SCENARIOS = 64

/**
 * A DAG from means: every task's work is spread log-normally, stratified over the scenarios (Latin hypercube), so that few scenarios have the right means
 * and percentiles. Tasks are independent.
 * @throws RangeError as `checkDag`
 */
export function dagOf(figures: DagFigures, scenarios = SCENARIOS, seed = 1): CallDag {
  const random = seededRandom(seed)
  const tasks = Object.fromEntries(
    figures.tasks.map(({ name, cpuMs, waitMs, variation = 0.2, threads = 1, ownMb = 0, calls = [] }) => {
      const factor = spreadOf(variation, scenarios, random)
      const task: CallTask = {
        name,
        cpuMs: factor.map((f) => f * cpuMs),
        waitMs: factor.map((f) => f * waitMs),
        threads,
        ownMb,
        calls: [...calls],
      }
      return [name, task]
    }),
  )
  const { name, entry, handOver, baseMb = 0 } = figures
  const dag = { name, entry, tasks, handOver, baseMb, scenarios }
  checkDag(dag)
  return dag
}

/** @throws RangeError when a call leads nowhere, or back to its caller: a recursion has no bounded plan */
export function checkDag({ entry, tasks }: CallDag): void {
  const done = new Set<TaskName>()
  const open = new Set<TaskName>()
  const visit = (name: TaskName, from: string): void => {
    const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
    if (!task) throw new RangeError(`${from} calls '${name}', which is no task of the DAG`)
    if (open.has(name)) throw new RangeError(`'${name}' calls itself, directly or through ${from}: leave that call out`)
    if (done.has(name)) return
    open.add(name)
    for (const { to } of task.calls) visit(to, `'${name}'`)
    open.delete(name)
    done.add(name)
  }
  visit(entry, 'the entry')
}

/** Tasks that the entry reaches, callees before their callers. */
export function calleesFirst({ entry, tasks }: CallDag): TaskName[] {
  const found = new Set<TaskName>()
  const visit = (name: TaskName): void => {
    if (found.has(name)) return
    for (const { to } of (tasks[name] as CallTask).calls) visit(to)
    found.add(name)
  }
  visit(entry)
  return [...found]
}

/** Tasks that the entry reaches over more than one path: their function is shared by hosts that choose on their own. */
export function sharedTasks(dag: CallDag): Set<TaskName> {
  const paths = new Map<TaskName, number>([[dag.entry, 1]])
  for (const name of calleesFirst(dag).reverse())
    for (const { to } of (dag.tasks[name] as CallTask).calls)
      paths.set(to, Math.min(2, (paths.get(to) ?? 0) + (paths.get(name) ?? 0)))
  return new Set([...paths].flatMap(([name, count]) => (count > 1 ? [name] : [])))
}

/** Log-normal factors of mean 1, one from every stratum, in random order. */
function spreadOf(variation: number, count: number, random: () => number): Float64Array {
  const sigma = Math.sqrt(Math.log(1 + variation ** 2))
  const values = Float64Array.from({ length: count }, (_, i) => Math.exp(sigma * normalQuantile((i + 0.5) / count)))
  const mean = values.reduce((sum, v) => sum + v, 0) / count
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[values[i], values[j]] = [values[j] as number, values[i] as number]
  }
  return values.map((v) => v / mean)
}
