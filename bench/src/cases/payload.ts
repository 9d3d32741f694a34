import type { Bench, BenchContext } from '../harness.js'
import { builderOf, invoke, type Served, serveBuild } from '../lib/app.js'
import { eachDurability } from '../lib/durability.js'
import { MEMORY_MB, placedBuild } from '../lib/placements.js'
import { median } from '../quantile.js'

const sizes = {
  '10B': 10,
  '100B': 100,
  '1KB': 1e3,
  '10KB': 1e4,
  '100KB': 1e5,
  '1MB': 1e6,
  '10MB': 1e7,
  '100MB': 1e8,
}
const TARGET_US = 100
/** Puts of a size: fewer of those that take long where they are copied. */
const PUTS = { short: 3000, long: 300 }
const LONG_FROM_BYTES = 1e6
/** Bytes that a session puts at most, one payload excepted: they live until it ends. */
const SESSION_BYTES = 4e8
const PUTS_OF_SESSION = 100
/** Of each size, and before all of them. */
const WARM_UP = { each: 20, first: 6000 }
const PAUSE_MS = 1
/** A case that takes longer has fewer samples. */
const CASE_MS = 60_000
const QUICK = { puts: 2, warmUp: { each: 1, first: 1 } }

const cases = eachDurability(
  Object.fromEntries(
    Object.keys(sizes).map((size) => [
      `threads-${size}`,
      { role: 'ours', isolation: 'thread', transport: 'message-port', records: 'on', wait: 'park' } as const,
    ]),
  ),
)

interface Arrival {
  us: number
  bytes: number
  shared: boolean
  sameMemory: boolean
}

const bench: Bench = {
  method: `from the start of a put of bytes in a SharedArrayBuffer to the first statement of the task that gets them, in another thread, by the clock that all threads share; both tasks have a function of their own, ${MEMORY_MB} MB, the producer's evaluates the bucket, and they park for ${PAUSE_MS} ms before a put and after it; the receiver writes into what it got: sameMemory is the share of puts after which the producer saw that in its own bytes, so that nothing was copied. ${PUTS.short} puts of each size, ${PUTS.long} from 1 MB on, after ${WARM_UP.first} of small ones and ${WARM_UP.each} of the size as warm-up; fewer where they take more than ${CASE_MS / 1000} s`,
  unit: 'us',
  cases,
  async run(context) {
    const builder = builderOf('payload')
    const build = await placedBuild(builder, 'producer', 'direct')
    await builder.dispose()
    for (const durability of ['none', 'journal'] as const) {
      const served = await serveBuild(build, { isolation: 'threads', durability, timeoutMs: 10 * CASE_MS })
      try {
        const { first } = context.options.quick === undefined ? WARM_UP : QUICK.warmUp
        for (let i = first; i > 0; i -= PUTS_OF_SESSION)
          await putMany(served, sizes['100B'], Math.min(i, PUTS_OF_SESSION))
        for (const [size, bytes] of Object.entries(sizes))
          await measure(served, `threads-${size} ${durability}`, bytes, context)
      } finally {
        await served.close()
      }
    }
    for (const size of Object.keys(sizes)) {
      const [none, journal] = [`threads-${size} none`, `threads-${size} journal`].map((name) =>
        median(context.samplesOf(name)),
      ) as [number, number]
      context.finding(
        `threads-${size}: ${none.toFixed(0)} us without a journal, ${journal.toFixed(0)} with one (medians; target ${TARGET_US} at every size; Pheromone: constant)`,
      )
    }
  },
}
export default bench

async function putMany({ platform }: Served, bytes: number, puts: number): Promise<Arrival[]> {
  const arrivals = await invoke<Arrival[]>(platform, 'producer', { bytes, puts, pauseMs: PAUSE_MS })
  await platform.drained()
  return arrivals
}

async function measure(served: Served, name: string, bytes: number, context: BenchContext): Promise<void> {
  const { options, sample, more, progress } = context
  const wanted = options.quick !== undefined ? QUICK.puts : PUTS[bytes < LONG_FROM_BYTES ? 'short' : 'long']
  const puts = Math.max(1, Math.min(wanted, PUTS_OF_SESSION, Math.floor(SESSION_BYTES / bytes)))
  const session = (count: number) => putMany(served, bytes, count)
  let [taken, shared, same] = [0, 0, 0]
  try {
    for (let i = (options.quick === undefined ? WARM_UP : QUICK.warmUp).each; i > 0; i -= puts)
      await session(Math.min(i, puts))
    for (const began = performance.now(); taken < wanted && performance.now() - began < CASE_MS; )
      for (const arrival of await session(Math.min(puts, wanted - taken))) {
        if (arrival.bytes !== bytes) throw new Error(`${bytes} bytes were put, ${arrival.bytes} arrived`)
        sample(name, arrival.us)
        taken++
        if (arrival.shared) shared++
        if (arrival.sameMemory) same++
      }
    more(name, { shared: shared / taken, sameMemory: same / taken })
  } catch (error) {
    more(name, { error: (error as Error).message })
  }
  progress(`${name} is done`)
}
