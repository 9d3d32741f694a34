import { expect, test } from 'vitest'
import { type Clock, type FireOptions, fire, type Reply, type RequestSample } from './fire.js'

/** A clock that stands still until it is moved. */
class FakeClock implements Clock {
  time = 0
  #timers: { at: number; callback: () => void }[] = []
  now = () => this.time
  at(timeMs: number, callback: () => void): () => void {
    const timer = { at: timeMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((x) => x !== timer)
    }
  }
  /** Moves on, calling what falls due on the way; replies that were resolved are seen in between. */
  async to(timeMs: number): Promise<void> {
    for (;;) {
      await Promise.resolve()
      await Promise.resolve()
      const due = this.#timers.filter((timer) => timer.at <= timeMs).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#timers = this.#timers.filter((x) => x !== due)
      this.time = Math.max(this.time, due.at)
      due.callback()
    }
    this.time = timeMs
  }
  get waiting(): number {
    return this.#timers.length
  }
}

function setUp(options: Partial<FireOptions> = {}) {
  const clock = new FakeClock()
  const samples: RequestSample[] = []
  const started: {
    index: number
    at: number
    reply: (reply: Reply) => void
    fail: (error: Error) => void
    signal: AbortSignal
  }[] = []
  const stop = new AbortController()
  const all: FireOptions = {
    clock,
    send: (index, signal) => new Promise((reply, fail) => started.push({ index, at: clock.time, reply, fail, signal })),
    timeoutMs: 1000,
    maxInFlight: 100,
    signal: stop.signal,
    onSample: (sample) => samples.push(sample),
    ...options,
  }
  return { clock, samples, started, stop, options: all }
}

test('arrivals do not wait for replies', async () => {
  const { clock, started, samples, options } = setUp()
  const load = fire([0, 10, 20, 30], options)
  await clock.to(30)
  expect(started.map(({ index, at }) => [index, at])).toEqual([
    [0, 0],
    [1, 10],
    [2, 20],
    [3, 30],
  ])
  expect(samples).toEqual([])
  for (const { reply } of started) reply({ status: 200, session: 's' })
  await load
  expect(samples.map((x) => x.latencyMs)).toEqual([30, 20, 10, 0])
})

test('latency counts from the intended start, also when the client comes late', async () => {
  const { clock, started, samples, options } = setUp()
  const load = fire([0, 10], options)
  started[0]?.reply({ status: 200 })
  // The client's process was busy: the second request leaves 40 ms late.
  clock.time = 50
  await clock.to(50)
  expect(started[1]?.at).toBe(50)
  await clock.to(70)
  started[1]?.reply({ status: 200 })
  await load
  expect(samples.find((x) => x.index === 1)).toMatchObject({ startMs: 10, latencyMs: 60 })
})

test('a time-out counts at its limit, aborts its request, and a late reply changes nothing', async () => {
  const { clock, started, samples, options } = setUp()
  const load = fire([5], options)
  await clock.to(2000)
  await load
  expect(samples).toEqual([{ index: 0, startMs: 5, latencyMs: 1000, error: 'no reply within 1000 ms' }])
  expect(started[0]?.signal.aborted).toBe(true)
  started[0]?.reply({ status: 200 })
  await clock.to(2001)
  expect(samples).toHaveLength(1)
})

test('errors of the connection and of the server are told apart from replies', async () => {
  const { clock, started, samples, options } = setUp()
  const load = fire([0, 0, 0], options)
  await clock.to(1)
  started[0]?.fail(new Error('socket hang up'))
  started[1]?.reply({ status: 503, session: 'b' })
  started[2]?.reply({ status: 202, session: 'c' })
  await load
  samples.sort((a, b) => a.index - b.index)
  expect(samples.map(({ status, error, session }) => ({ status, error, session }))).toEqual([
    { status: undefined, error: 'socket hang up', session: undefined },
    { status: 503, error: 'HTTP 503', session: 'b' },
    { status: 202, error: undefined, session: 'c' },
  ])
})

test('the number of requests under way is bounded', async () => {
  const { clock, started, samples, options } = setUp({ maxInFlight: 2 })
  const load = fire([0, 0, 0], options)
  expect(samples).toMatchObject([{ index: 2, latencyMs: 1000, error: 'more than 2 requests under way' }])
  for (const { reply } of started) reply({ status: 200 })
  await clock.to(1)
  await load
})

test('a stopped load leaves no timer and drops what is under way', async () => {
  const { clock, started, samples, stop, options } = setUp()
  const load = fire([0, 100], options)
  await clock.to(10)
  stop.abort()
  await load
  expect(clock.waiting).toBe(0)
  expect(started[0]?.signal.aborted).toBe(true)
  expect(samples).toEqual([])
})

test('a reply does not abort its own request, whose connection is kept for the next', async () => {
  const { clock, started, options } = setUp()
  const load = fire([0], options)
  started[0]?.reply({ status: 200 })
  await clock.to(1)
  await load
  expect(started[0]?.signal.aborted).toBe(false)
})
