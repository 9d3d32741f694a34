import { type Behaviour, type BehaviourStep, type SimulatedPlatform, seededRandom } from '@fusionize/planner'
import type { Facts } from '@fusionize/platform'
import type { App, Mode } from 'fusionize/setup'
import { drawDag } from '../planner/shapes.js'

/** An application and a platform that no model of the planner knows: what happens there is known to the simulation alone. */
export interface World {
  seed: number
  behaviour: Behaviour
  platform: SimulatedPlatform
  /** What a platform would say of itself. */
  facts: Facts
  /** Requests per second. */
  rps: number
  /** Memory that the first setup of every strategy has, MB. */
  memoryMb: number
}

/** Few sizes, so that every setup can be looked at. */
const LADDER = [128, 256, 512, 1024, 1769]
const MB_PER_CORE = 1769
/** Computing per run, 1 to 1000 ms as drawn, to this power: 1 to 250 ms. Longer work has ever more periods of its quota to simulate and nothing new. */
const SHORTER = 0.8
/** More sandboxes that share the node's cores take ever longer to simulate. */
const MOST_RPS = 50
/** Values that stand for a log-normal distribution, drawn from it. */
const VALUES = 400
const PERIOD_MS = 20

/** AWS Lambda x86 (PAPERS §4). */
const prices: Facts['prices'] = {
  name: 'AWS Lambda x86',
  date: '2026-01-01',
  perGbSecond: 0.0000166667,
  perRequest: 0.2e-6,
  perGatewayRequest: 0,
  billsInit: true,
  granularityMs: 1,
}

/**
 * Draws an application of 3 to 6 tasks (shapes from production, `drawDag`; each run's computing and waiting log-normal) and a platform: cores that
 * everything shares and of which the load takes a drawn part, CPU by quota or evenly, log-normal hand-overs that are longer at small sizes, start-ups
 * with a log-normal tail, first runs that take longer, a keep-alive. Every parameter comes from the seed.
 */
export function drawWorld(seed: number): World {
  const random = seededRandom(seed)
  const between = (low: number, high: number) => low + (high - low) * random()
  const logBetween = (low: number, high: number) => low * (high / low) ** random()
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T
  const lognormal = (medianMs: number, sigma: number) => ({
    values: Array.from({ length: VALUES }, () => medianMs * Math.exp(sigma * normal(random))),
  })
  const tasks = pick([3, 4, 4, 5, 6])
  const dag = drawDag(tasks, Math.floor(random() * 2 ** 31))
  const edges: App['edges'] = []
  const behaviours: Behaviour['tasks'] = {}
  const cpuMs: Record<string, number> = {}
  for (const task of dag.tasks) {
    const sigma = between(0.1, 0.6)
    const threads = random() < 0.15 ? 2 : 1
    const medianMs = task.cpuMs ** SHORTER
    const computing = { cpuMs: lognormal(medianMs, sigma), threads }
    const waiting = task.waitMs > 0 ? [{ waitMs: lognormal(task.waitMs, between(0.05, 0.4)) }] : []
    const isParallel = random() < 0.5
    const named = (mode: Mode) => (task.calls ?? []).filter((call) => call.mode === mode).map(({ to }) => to)
    const [calls, sends] = [named('call'), named('send')]
    const steps: BehaviourStep[] = [
      computing,
      ...waiting,
      ...(isParallel && calls.length > 0 ? [{ call: calls }] : calls.map((to) => ({ call: [to] }))),
      ...(sends.length > 0 ? [{ send: sends }] : []),
    ]
    // Code that runs for the first time in a sandbox loads and compiles.
    const loading = { cpuMs: lognormal(logBetween(5, 80), between(0.1, 0.5)) }
    behaviours[task.name] = { scripts: [steps], firstScripts: [[loading, ...steps]] }
    cpuMs[task.name] = medianMs * Math.exp(sigma ** 2 / 2)
    for (const { to, mode } of task.calls ?? []) edges.push({ from: task.name, to, modes: [mode] })
  }
  edges.sort((a, b) => (a.from === b.from ? compare(a.to, b.to) : compare(a.from, b.from)))
  const app: App = { name: dag.name, tasks: tasksOf(dag.tasks, dag.entry), edges }
  const nodeCores = pick([2, 4, 8])
  const busy = between(0.1, 0.5)
  const rps = Math.min(MOST_RPS, (busy * nodeCores * 1000) / workOf(dag.tasks, dag.entry, cpuMs))
  const handOver = (fullMs: number, sigma: number) =>
    LADDER.map((memoryMb) => ({ memoryMb, ms: lognormal(fullMs * (0.6 + (0.4 * 768) / memoryMb), sigma) }))
  const startUp = { medianMs: logBetween(100, 1000), sigma: between(0.1, 0.8) }
  const platform: SimulatedPlatform = {
    prices,
    mbPerCore: MB_PER_CORE,
    cpu: random() < 1 / 3 ? { kind: 'quota', periodMs: PERIOD_MS } : { kind: 'even' },
    coresPerSandbox: 2,
    nodeCores,
    loop: pick(['turns', 'shared'] as const),
    handOver: {
      call: handOver(logBetween(5, 60), between(0.2, 0.8)),
      send: handOver(logBetween(5, 60), between(0.2, 0.8)),
      together: between(0, 0.5),
    },
    gatewayMs: lognormal(logBetween(1, 10), between(0.1, 0.6)),
    startUp: [{ memoryMb: MB_PER_CORE, ms: lognormal(startUp.medianMs, startUp.sigma) }],
    keepAliveMs: logBetween(30_000, 600_000),
  }
  const facts: Facts = {
    platform: 'simulated',
    memoryLadder: LADDER,
    mbPerCore: MB_PER_CORE,
    cpuShareEnforced: true,
    cpuShareReason: '',
    afterReply: 'runs',
    maxPayloadBytes: { call: 6e6, send: 1e6 },
    maxTimeoutMs: 900_000,
    prices,
    durability: 'none',
  }
  const behaviour = { app, tasks: behaviours }
  return { seed, behaviour, platform, facts, rps, memoryMb: pick(LADDER.slice(0, 3)) }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function tasksOf(tasks: readonly { name: string }[], entry: string): App['tasks'] {
  return Object.fromEntries(
    tasks.map(({ name }) => {
      const info = { name, file: `tasks/${name}.ts`, line: 1 }
      return [name, name === entry ? { ...info, http: { method: 'POST', path: `/${name}` } } : info]
    }),
  )
}

/** Ms of computing of one request, all that it causes included. */
function workOf(
  tasks: readonly { name: string; calls?: { to: string }[] }[],
  entry: string,
  cpuMs: Readonly<Record<string, number>>,
): number {
  const callsOf = new Map(tasks.map(({ name, calls = [] }) => [name, calls]))
  const work = (name: string): number =>
    (callsOf.get(name) ?? []).reduce((sum, { to }) => sum + work(to), cpuMs[name] ?? 0)
  return work(entry)
}

/** From the standard normal distribution (Box and Muller, 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
