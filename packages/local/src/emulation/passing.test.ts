import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DataPassing, type Transfer } from './passing.js'
import { passingFacts } from './passing-facts.js'
import { type Clock, SharedRate } from './shared-rate.js'

/** A clock that goes on as what waits for it says. */
function clockOf(): Clock & { run(): void } {
  let ms = 0
  const waiting: { at: number; then: () => void }[] = []
  return {
    now: () => ms,
    later: (delay, then) => void waiting.push({ at: ms + delay, then }),
    run() {
      for (;;) {
        const next = waiting.sort((a, b) => a.at - b.at).shift()
        if (next === undefined) return
        ms = Math.max(ms, next.at)
        next.then()
      }
    },
  }
}

it('a shared line moves what begins together as processor sharing does, whatever the sizes', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 50 }), (given, rate) => {
      const clock = clockOf()
      const line = new SharedRate(rate, clock)
      const ends: number[] = given.map(() => Number.NaN)
      for (const [i, bytes] of given.entries())
        line.move(bytes, () => {
          ends[i] = clock.now()
        })
      clock.run()
      // Until a flow is through, every other has moved as much as it, or all that it has.
      for (const [i, bytes] of given.entries())
        expect(ends[i]).toBeCloseTo(given.reduce((sum, other) => sum + Math.min(other, bytes), 0) / rate, 6)
    }),
    { seed: 4 },
  )
})

it('a shared line is never faster than its rate, nor idle while something is to move', () => {
  const flows = fc.array(fc.record({ at: fc.integer({ min: 0, max: 100 }), bytes: fc.integer({ min: 1, max: 500 }) }), {
    minLength: 1,
    maxLength: 10,
  })
  fc.assert(
    fc.property(flows, (given) => {
      const clock = clockOf()
      const line = new SharedRate(10, clock)
      const ends: number[] = []
      for (const { at, bytes } of given) clock.later(at, () => line.move(bytes, () => ends.push(clock.now())))
      clock.run()
      let busyUntil = 0
      for (const { at, bytes } of [...given].sort((a, b) => a.at - b.at))
        busyUntil = Math.max(busyUntil, at) + bytes / 10
      expect(Math.max(...ends)).toBeCloseTo(busyUntil, 6)
      expect(ends).toHaveLength(given.length)
    }),
    { seed: 4 },
  )
})

/** When each of the transfers has left its producer and is there, ms. */
function passed(how: 'direct' | 'store', bytes: readonly number[], { from = '', consumerMb = 1769 } = {}) {
  const clock = clockOf()
  const passing = new DataPassing(passingFacts, clock)
  const told: { left: number; there: number; transfer: Transfer }[] = []
  for (const [i, size] of bytes.entries())
    passing.leave(how, from || String(i), size, 1769, (transfer) => {
      const left = clock.now()
      transfer.arrive(consumerMb, () => told.push({ left, there: clock.now(), transfer }))
    })
  clock.run()
  return told
}

it('direct: bytes over the interface, which transfers at a time share', () => {
  const [alone] = passed('direct', [7e6])
  expect(alone).toMatchObject({ left: 0, there: 100 })
  const both = passed('direct', [7e6, 7e6])
  expect(both.map(({ there }) => there)).toEqual([200, 200])
  expect(both[0]?.transfer.passed).toEqual({
    how: 'direct',
    bytes: 7e6,
    ms: 200,
    puts: 0,
    gets: 0,
    feeUsd: 0,
    emulated: true,
  })
})

it('store: one put for what is handed over at once, then every consumer gets its own at its own speed', () => {
  const one = passed('store', [8e6, 8e6], { from: 'an invocation', consumerMb: 1769 / 2 })
  for (const { left, there } of one) {
    expect(left).toBeCloseTo(40 + 200)
    expect(there - left).toBeCloseTo(25 + 200)
  }
  expect(one.map(({ transfer }) => transfer.passed.puts).sort()).toEqual([0, 1])
  const fees = one.reduce((sum, { transfer }) => sum + transfer.passed.feeUsd, 0)
  expect(fees).toBeCloseTo(passingFacts.putUsd + 2 * passingFacts.getUsd, 12)
  const apart = passed('store', [8e6, 8e6])
  expect(apart.map(({ left }) => left)).toEqual([140, 140])
  expect(apart.map(({ transfer }) => transfer.passed.puts)).toEqual([1, 1])
})
