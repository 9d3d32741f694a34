import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEmulation, type Emulation } from './index.js'

/** A clock that stands still until it is told to go on. */
function clockOf() {
  let ms = 0
  return { now: () => ms, pass: (by: number) => (ms += by) }
}

/** Median of what `draw` gives for sandboxes that are made for it. */
function median(draw: (e: Emulation, pass: (ms: number) => void, sandbox: object) => number, n = 4000): number {
  const clock = clockOf()
  const e = createEmulation('aws-lambda', 1, clock.now)
  const drawn = Array.from({ length: n }, () => draw(e, clock.pass, {})).sort((a, b) => a - b)
  return drawn[n / 2] as number
}

/** The sandbox has handed over before, in another invocation. */
const warm = (mode: 'call' | 'send', mb: number) =>
  median((e, pass, sandbox) => {
    e.handOverMs('send', mb, sandbox, 'before')
    pass(10_000)
    return e.handOverMs(mode, mb, sandbox, 'now')
  })

describe('the emulation of AWS Lambda', () => {
  it('draws the same delays for the same seed, hand-over for hand-over', () => {
    const draws = (seed: number) => {
      const clock = clockOf()
      const e = createEmulation('aws-lambda', seed, clock.now)
      const sandbox = {}
      return Array.from({ length: 50 }, (_, i) => {
        clock.pass(i * 7)
        return [e.handOverMs(i % 2 ? 'call' : 'send', 128, sandbox, String(i >> 2)), e.startUp(1e5)]
      })
    }
    expect(draws(7)).toEqual(draws(7))
    expect(draws(7)).not.toEqual(draws(8))
  })

  it('has the measured medians, and smaller delays for larger callers', () => {
    expect(warm('call', 128)).toBeCloseTo(35, -1)
    expect(warm('send', 128)).toBeCloseTo(100, -1)
    expect(warm('send', 2048)).toBeCloseTo(25, -1)
    expect(warm('call', 10240)).toBeCloseTo(24, -1)
    expect(warm('send', 256)).toBeLessThan(warm('send', 128))
    expect(warm('send', 256)).toBeGreaterThan(warm('send', 768))
  })

  it('makes the first hand-over of a sandbox dearer, and later ones of an invocation cheaper', () => {
    const first = median((e, _, sandbox) => e.handOverMs('send', 128, sandbox, 'a'))
    const second = (before: string[]) =>
      median((e, pass, sandbox) => {
        for (const invocation of [...before, 'a']) {
          e.handOverMs('send', 128, sandbox, invocation)
          pass(10_000)
        }
        return e.handOverMs('send', 128, sandbox, 'a')
      })
    const later = second(['before'])
    expect(second([])).toBeGreaterThan(1.3 * later)
    expect(second([])).toBeLessThan(first / 2)
    expect(first).toBeGreaterThan(2 * warm('send', 128))
    expect(later).toBeLessThan(warm('send', 128))
  })

  it('lets hand-overs that go out together share their delay in as many cases as measured', () => {
    const share = (mb: number) => {
      const clock = clockOf()
      const e = createEmulation('aws-lambda', 1, clock.now)
      let equal = 0
      for (let i = 0; i < 4000; i++) {
        const sandbox = {}
        // The first hand-overs of a sandbox are all of one state, so that equal draws are equal delays.
        const [one, other] = [1, 2].map(() => e.handOverMs('send', mb, sandbox, 'a'))
        if (one === other) equal++
      }
      return equal / 4000
    }
    expect(share(128)).toBeCloseTo(0.66, 1)
    expect(share(2048)).toBeCloseTo(0.31, 1)
  })

  it('slows calls that go out while another is under way', () => {
    const second = median((e, pass, sandbox) => {
      e.handOverMs('call', 128, sandbox, 'before')
      pass(10_000)
      e.handOverMs('send', 128, sandbox, 'now')
      return e.handOverMs('call', 128, sandbox, 'now')
    })
    expect(second).toBeGreaterThan(1.5 * warm('call', 128))
  })

  it('never draws a negative or endless delay, whatever the caller and its history', () => {
    const step = fc.record({
      mode: fc.constantFrom('call' as const, 'send' as const),
      memory: fc.integer({ min: 64, max: 20_000 }),
      sandbox: fc.nat(3),
      invocation: fc.nat(3),
      wait: fc.nat(500),
    })
    fc.assert(
      fc.property(fc.integer(), fc.array(step), (seed, steps) => {
        const clock = clockOf()
        const e = createEmulation('aws-lambda', seed, clock.now)
        const sandboxes = [{}, {}, {}, {}]
        for (const { mode, memory, sandbox, invocation, wait } of steps) {
          clock.pass(wait)
          const ms = e.handOverMs(mode, memory, sandboxes[sandbox] as object, String(invocation))
          expect(ms).toBeGreaterThanOrEqual(0)
          expect(ms).toBeLessThan(1000)
        }
      }),
    )
  })

  it('bills INIT by the size of the artifact and the rest of a start-up not at all', () => {
    const e = createEmulation('aws-lambda', 1)
    expect(e.startUp(500).initMs).toBe(159)
    expect(e.startUp(4e6).initMs).toBe(262)
    expect(e.startUp(1e9).initMs).toBe(3110)
    const total = median((emulation) => {
      const { provisionMs, initMs } = emulation.startUp(1e3)
      return provisionMs + initMs
    })
    expect(total).toBeGreaterThan(480)
    expect(total).toBeLessThan(600)
  })

  it('says what it can emulate', () => {
    expect(() => createEmulation('mainframe', 1)).toThrow("known: 'aws-lambda'")
  })
})
