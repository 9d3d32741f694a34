import type { Builder } from '@fusionize/platform'
import type { Bench, BenchContext, Case, Setting } from '../harness.js'
import { median } from '../quantile.js'
import { invoke, type Served, serveBuild } from './app.js'
import { eachDurability } from './durability.js'
import { coresFree } from './parked.js'
import { type Placement, placedBuild } from './placements.js'
import { crossings, recordsSince } from './read-records.js'

/** What a bench measures of an application at several sizes, where it is fused, in threads and in processes. */
export interface BySize {
  sizes: readonly number[]
  /** Sizes from this one on take so long that they get fewer samples. */
  longFrom: number
  make(n: number): Builder
  /** The task that requests begin with; its answer is ms. */
  entry: string
  /** How threads wait. */
  wait: Setting['wait']
  /** By case, what is promised with durability `none`, ms. */
  targets: Record<string, number>
  pheromone: string
}

const settings: Record<string, { placement: Placement; setting: Omit<Setting, 'durability' | 'wait'> }> = {
  fused: { placement: 'fused', setting: { role: 'ours', records: 'on', isolation: 'sandbox', transport: 'none' } },
  threads: {
    placement: 'own',
    setting: { role: 'ours', records: 'on', isolation: 'thread', transport: 'message-port' },
  },
  processes: { placement: 'own', setting: { role: 'ours', records: 'on', isolation: 'process', transport: 'socket' } },
}

const ROUNDS = 10
const SESSIONS = { short: 300, long: 30 }
const WARM_UP = 1
const QUICK = { rounds: 1, sessions: 2, sizes: 2 }
/** Sessions whose records are looked at. */
const LOOKED_AT = 10

/** The bench for it. */
export function benchBySize(what: string, bench: BySize): Bench {
  return {
    method: `${what}; ${method}`,
    unit: 'ms',
    cases: (options) => casesBySize(bench, options),
    run: (context) => runBySize(bench, context),
  }
}

/** Cases `fused-N`, `threads-N` and `processes-N`, each without and with a journal. */
function casesBySize({ sizes, wait }: BySize, options: Record<string, string>): Record<string, Case> {
  const chosen = options.quick === undefined ? sizes : sizes.slice(0, QUICK.sizes)
  const cases = chosen.flatMap((n) =>
    Object.entries(settings).map(([where, { setting }]) => {
      const waits = where === 'processes' ? 'park' : wait
      return [`${where}-${n}`, { ...setting, wait: waits }] as const
    }),
  )
  const only = cases.filter(([id]) => id.includes(options.only ?? ''))
  return eachDurability(Object.fromEntries(only))
}

const method = `sessions one after the other, each when the platform has settled the one before; sandboxes of 1769 MB. fused: all in one invocation, nobody waits for its own end, a bucket answers. threads and processes: one function has all tasks and evaluates the buckets, and every task is an invocation of its own with its own record, started where its data is; its sandboxes are threads or processes. Sizes one after the other, the cases of a size in turn, ${ROUNDS} rounds of ${SESSIONS.short} sessions (long ones: ${SESSIONS.long}) after ${WARM_UP} of warm-up; beside each row the invocations of a session that began in another sandbox than the one that started them (mean), and the ms until all of a session was settled (median)`

async function runBySize(bench: BySize, context: BenchContext): Promise<void> {
  const { options, samplesOf, finding } = context
  const cases = casesBySize(bench, options)
  for (const n of bench.sizes) {
    const names = Object.keys(cases).filter((name) => sizeOf(cases[name] as Case) === n)
    if (names.length > 0) await runSize(bench, n, names, cases, context)
  }
  for (const [id, targetMs] of Object.entries(bench.targets)) {
    if (!Object.hasOwn(cases, `${id} none`)) continue
    const [none, journal] = [median(samplesOf(`${id} none`)), median(samplesOf(`${id} journal`))]
    finding(
      `${id}: ${none.toFixed(2)} ms without a journal, ${journal.toFixed(2)} with one (medians; target ${targetMs} without; ${bench.pheromone})`,
    )
  }
}

function sizeOf({ case: id = '' }: Case): number {
  return Number(id.slice(id.indexOf('-') + 1))
}

async function runSize(bench: BySize, n: number, names: string[], cases: Record<string, Case>, context: BenchContext) {
  const { options, sample, more, progress } = context
  const builder = bench.make(n)
  const served: [string, Served, number[]][] = []
  const long = n >= bench.longFrom
  const rounds = options.quick === undefined ? ROUNDS : QUICK.rounds
  const sessions = options.quick === undefined ? SESSIONS[long ? 'long' : 'short'] : QUICK.sessions
  try {
    for (const name of names) served.push([name, await open(builder, bench.entry, cases[name] as Case), []])
    await builder.dispose()
    for (let round = -WARM_UP; round < rounds; round++)
      for (const [name, { platform }, settledMs] of served) {
        for (let i = 0; i < sessions; i++) {
          const began = performance.now()
          const ms = await invoke<number>(platform, bench.entry, {})
          await platform.drained()
          if (round < 0) continue
          sample(name, ms)
          settledMs.push(performance.now() - began)
        }
        await coresFree(cases[name] as Case)
      }
    for (const [name, { platform }, settledMs] of served) {
      const { next } = await recordsSince(platform)
      for (let i = 0; i < LOOKED_AT; i++) {
        await invoke(platform, bench.entry, {})
        await platform.drained()
      }
      const { records } = await recordsSince(platform, next)
      more(name, { crossed: crossings(records) / LOOKED_AT, settledMs: Number(median(settledMs).toPrecision(3)) })
    }
    progress(`size ${n} is done`)
  } finally {
    await Promise.all(served.map(([, { close }]) => close()))
  }
}

async function open(builder: Builder, entry: string, { case: id = '', isolation, durability, wait }: Case) {
  const where = settings[id.slice(0, id.indexOf('-'))]
  if (where === undefined) throw new Error(`no case begins like '${id}'`)
  const build = await placedBuild(builder, entry, where.placement)
  return serveBuild(build, {
    isolation: isolation === 'process' ? 'processes' : 'threads',
    durability,
    spin: wait === 'spin',
  })
}
