import type { Bench, Case } from '../harness.js'
import { builderOf, invoke, type Served, serveBuild } from '../lib/app.js'
import { eachDurability } from '../lib/durability.js'
import { coresFree } from '../lib/parked.js'
import { askOneWay } from '../lib/peers.js'
import { MEMORY_MB, type Placement, placedBuild } from '../lib/placements.js'
import { median } from '../quantile.js'

/** Of a round; without pauses it takes some ms until caches have what a burst of puts needs. */
const PUTS = { paused: 200, hot: 2000 }
const ROUNDS = 16
const WARM_UP = 2
/** Invocations and puts of each, without a pause, after which code is compiled as in a service that has run for a while. */
const WARM = { invocations: 10, puts: 1000 }
const direct = { placement: 'direct', entry: 'producer' } as const
const QUICK = { puts: { paused: 5, hot: 5 }, rounds: 1, warmUp: 1, warm: { invocations: 1, puts: 5 } }

/** How the consumer comes to run where it does, the task that requests begin with, and the ms between two puts. */
const ways: Record<string, Way> = {
  'same-sandbox': {
    placement: 'fused',
    entry: 'start',
    pauseMs: 0,
    targetUs: 2,
    pheromone: '12 us with a core spinning',
  },
  'thread-busy': {
    ...direct,
    entry: 'spin-producer',
    pauseMs: 0,
    targetUs: 5,
    pheromone: '12 us with a core spinning',
  },
  'thread-idle': { ...direct, pauseMs: 1, targetUs: 35, pheromone: '37 to 56 us after idling' },
  process: { ...direct, pauseMs: 1, targetUs: 80, pheromone: '37 to 56 us after idling' },
}

interface Way {
  placement: Placement
  entry: 'start' | 'producer' | 'spin-producer'
  pauseMs: number
  targetUs: number
  pheromone: string
}

const ours = { role: 'ours', records: 'on', wait: 'park' } as const
const port = { isolation: 'thread', transport: 'message-port' } as const
const cases: Record<string, Case> = {
  ...eachDurability({
    'same-sandbox': { ...ours, isolation: 'sandbox', transport: 'none' },
    'thread-busy': { ...ours, ...port, transport: 'shared-memory', wait: 'spin' },
    'thread-idle': { ...ours, ...port },
    process: { ...ours, isolation: 'process', transport: 'socket' },
  }),
  'message-port': { ...ours, ...port, role: 'yardstick', records: 'off', durability: 'none' },
}

const bench: Bench = {
  method: `from the start of a put to the first statement of the task that it starts, by the clock that all processes share; ${PUTS.paused} puts of a number in a session (${PUTS.hot} where they need no pause), each when the consumer of the one before has begun; warm, ${MEMORY_MB} MB. same-sandbox: the bucket and the consumer are fused into the producer's function, and nobody waits for the producer: its entry has sent to it, and is answered by a bucket. The others: both have a function of their own, the producer's evaluates the bucket, and its sandbox is taken meanwhile; thread-idle and process wait ${ways['thread-idle']?.pauseMs} ms before a put and after it, so that every sandbox is parked; in thread-busy nothing parks: the threads spin, the consumer says what it saw in shared memory, and the next put follows 300 us after the one before, when what that set off is over. message-port: a bare port between two threads, one way, the receiver parked, 2 ms between messages. Cases alternate, ${ROUNDS} rounds after ${WARM.invocations * WARM.puts} puts without pauses and ${WARM_UP} rounds of warm-up`,
  unit: 'us',
  yardstick: 'message-port',
  cases,
  async run({ options, sample, samplesOf, finding }) {
    const { puts, rounds, warmUp, warm } =
      options.quick === undefined ? { puts: PUTS, rounds: ROUNDS, warmUp: WARM_UP, warm: WARM } : QUICK
    const ports = askOneWay()
    const served: Record<string, Served> = {}
    try {
      for (const name of Object.keys(cases)) if (name !== 'message-port') served[name] = await open(name)
      for (const [name, one] of Object.entries(served)) {
        for (let i = 0; i < warm.invocations; i++)
          await put(one, wayOf((cases[name] as Case).case as string).entry, warm.puts, 0)
        await coresFree(cases[name] as Case)
      }
      for (let round = -warmUp; round < rounds; round++)
        for (const name of Object.keys(cases)) {
          const us = served[name] ? await askPlatform(served[name], name, puts) : await ports.ask(puts.paused)
          if (round >= 0) for (const value of us) sample(name, value)
          await coresFree(cases[name] as Case)
        }
    } finally {
      await Promise.all([ports.close(), ...Object.values(served).map(({ close }) => close())])
    }
    for (const [id, { targetUs, pheromone }] of Object.entries(ways)) {
      const [none, journal] = [median(samplesOf(`${id} none`)), median(samplesOf(`${id} journal`))]
      finding(
        `${id}: ${none.toFixed(1)} us without a journal, ${journal.toFixed(1)} with one (medians; target ${targetUs} without; Pheromone ${pheromone})`,
      )
    }
  },
}
export default bench

async function open(name: string): Promise<Served> {
  const { case: id = '', isolation, durability, wait } = cases[name] as Case
  const build = await placedBuild(builderOf('trigger'), wayOf(id).entry, wayOf(id).placement)
  const threads = isolation !== 'process'
  return serveBuild(build, { isolation: threads ? 'threads' : 'processes', durability, spin: wait === 'spin' })
}

function askPlatform(served: Served, name: string, puts: typeof PUTS): Promise<number[]> {
  const { entry, pauseMs } = wayOf(cases[name]?.case as string)
  return put(served, entry, pauseMs > 0 ? puts.paused : puts.hot, pauseMs)
}

async function put({ platform }: Served, entry: Way['entry'], puts: number, pauseMs: number): Promise<number[]> {
  const us = await invoke<number[]>(platform, entry, { puts, pauseMs })
  await platform.drained()
  return us
}

function wayOf(id: string) {
  const way = ways[id]
  if (way === undefined) throw new Error(`no way of a consumer is called '${id}'`)
  return way
}
