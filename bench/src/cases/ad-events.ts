import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { allFusedSetup } from 'fusionize/setup'
import type { Bench, BenchContext, Case } from '../harness.js'
import {
  countedEvents,
  delaysOf,
  eventsToCount,
  problemsOf,
  removeWindows,
  WINDOW_MS,
  writtenWindows,
} from '../lib/ad-windows.js'
import { exampleBuilder, serveBuild } from '../lib/app.js'
import { eachDurability } from '../lib/durability.js'
import { highestRate } from '../lib/highest-rate.js'
import { askOnce } from '../lib/peers.js'
import { MEMORY_MB } from '../lib/placements.js'
import { recordsSince } from '../lib/read-records.js'
import type { EventsOrder, EventsSent } from '../peers/events-client.js'
import { median, quantile } from '../quantile.js'

const BATCH = 20
const CONCURRENCY = 64
const UNLOADED = { requestsPerSecond: 20, ms: 10_000 }
const FROM_PER_SECOND = 50
const PROBE_MS = 4000
const HOLD_MS = 30_000
const STEPS = 4
const QUICK = { unloadedMs: 500, holdMs: 1000 }
/** METRICS: a rate is held when the p99 of its latencies is at most so many times the unloaded p50. */
const SLOWER_AT_MOST = 10
/** Ms for which counts may be missing. */
const PATIENCE_MS = 10_000
const seed = 7

const ours = { role: 'ours', records: 'on', wait: 'park' } as const
const cases = eachDurability({
  threads: { ...ours, isolation: 'thread', transport: 'unix socket, message-port' },
  processes: { ...ours, isolation: 'process', transport: 'unix socket, socket' },
})

const bench: Bench = {
  method: `the application ad-events: requests of ${BATCH} events to ingest from a client in a process of its own over the platform's socket, at an even rate, whatever became of those before (open loop); filter and join are fused into ingest, in sandboxes of ${MEMORY_MB} MB that take ${CONCURRENCY} requests at a time; every view is put into a bucket by itself, and count gets those of a window of ${WINDOW_MS} ms. A rate is held when no request fails, the p99 of the latencies from the intended arrival is at most ${SLOWER_AT_MOST} times the p50 at ${UNLOADED.requestsPerSecond} requests/s, every view is in exactly one window and the sums are the generator's. The highest is sought in ${PROBE_MS / 1000} s each, by doubling and ${STEPS} halvings, and then held for ${HOLD_MS / 1000} s, else lowered by 10%. A sample is the events/s answered in 100 ms of that time; windowDelayMs is from the end of a window to the end of the run that wrote its counts`,
  unit: 'events/s',
  cases,
  async run(context) {
    for (const name of Object.keys(cases).filter((id) => id.includes(context.options.only ?? '')))
      await measure(name, cases[name] as Case, context)
  },
}
export default bench

async function measure(name: string, { isolation, durability }: Case, context: BenchContext): Promise<void> {
  const { options, sample, more, finding, progress } = context
  const quick = options.quick !== undefined
  const store = mkdtempSync(join(tmpdir(), 'fusionize-bench-'))
  const builder = exampleBuilder('ad-events')
  const setup = allFusedSetup(await builder.scan(), MEMORY_MB)
  for (const spec of Object.values(setup.functions)) spec.concurrency = CONCURRENCY
  const build = await builder.build(setup, { AD_EVENTS_STORE: store })
  const { platform, close } = await serveBuild(build, {
    isolation: isolation === 'thread' ? 'threads' : 'processes',
    durability,
    socket: true,
  })
  let next = 0
  let since: string | undefined
  let unloadedUs = Number.POSITIVE_INFINITY

  /** Sends events at a rate, and looks at what was counted. */
  async function load(requestsPerSecond: number, ms: number) {
    const order: EventsOrder = {
      path: platform.socket as string,
      seed,
      first: next,
      batch: BATCH,
      requestsPerSecond,
      ms,
    }
    const sent = await askOnce<EventsSent>('events-client', order)
    next += sent.requests * BATCH
    const expected = eventsToCount(order, sent.requests)
    const deadline = performance.now() + PATIENCE_MS
    while (countedEvents(writtenWindows(store)) < expected && performance.now() < deadline) await sleep(100)
    await platform.drained()
    const windows = writtenWindows(store)
    const { records, next: seen } = await recordsSince(platform, since)
    since = seen
    removeWindows(store)
    const latencies = Float64Array.from(sent.latenciesUs).sort()
    const p99 = quantile(latencies, 0.99)
    const problems = [...sent.errors, ...problemsOf(order, sent, windows)]
    const held = problems.length === 0 && p99 <= SLOWER_AT_MOST * unloadedUs
    progress(
      `${name}: ${requestsPerSecond * BATCH} events/s for ${ms} ms: p50 ${quantile(latencies, 0.5).toFixed(0)} us, p99 ${p99.toFixed(0)} us ${held ? '' : `not held ${problems.join('; ')}`}`,
    )
    return { held, sent, latencies, problems, delays: delaysOf(order, sent, windows, records) }
  }

  try {
    await load(UNLOADED.requestsPerSecond, quick ? QUICK.unloadedMs : UNLOADED.ms)
    const unloaded = await load(UNLOADED.requestsPerSecond, quick ? QUICK.unloadedMs : UNLOADED.ms)
    unloadedUs = median(unloaded.sent.latenciesUs)
    const best = quick
      ? { rate: UNLOADED.requestsPerSecond, found: await load(UNLOADED.requestsPerSecond, QUICK.holdMs) }
      : await highestRate((rate, long) => load(rate, long ? HOLD_MS : PROBE_MS), {
          from: FROM_PER_SECOND,
          steps: STEPS,
        })
    if (best === undefined) {
      finding(`${name}: no rate from ${(FROM_PER_SECOND * BATCH) / 2} events/s on was held`)
      return
    }
    const { rate, found } = best
    for (const events of found.sent.answered) sample(name, events * 10)
    const delays = Float64Array.from(found.delays).sort()
    const at = (p: number) => Math.round(quantile(found.latencies, p))
    const delay = (p: number) => Number(quantile(delays, p).toFixed(1))
    more(name, {
      heldPerSecond: rate * BATCH,
      latencyUs: { unloadedP50: Math.round(unloadedUs), p50: at(0.5), p99: at(0.99), requests: found.latencies.length },
      windowDelayMs: { p50: delay(0.5), p99: delay(0.99), windows: delays.length },
      problems: found.problems,
    })
    finding(
      `${name}: ${rate * BATCH} events/s held, each view in exactly one window; a window's counts are written ${delay(0.99)} ms after its end (p99 of ${delays.length})`,
    )
  } finally {
    await close()
    await builder.dispose()
    rmSync(store, { recursive: true, force: true })
  }
}
