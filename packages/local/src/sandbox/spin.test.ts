import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSpin, leftOver, Places } from './spin.js'

let clock = 0
beforeEach(() => {
  clock = 1000
  vi.useFakeTimers({ toFake: ['setImmediate'] })
  vi.spyOn(performance, 'now').mockImplementation(() => clock)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Goes on until the thread parks. @returns the turns of its event loop */
function turns(): number {
  let count = 0
  for (; vi.getTimerCount() > 0; count++) vi.advanceTimersToNextTimer()
  return count
}

/** Takes `ms` whenever it is asked, and has so many messages. */
function poller(ms: number, messages = 0) {
  let left = messages
  return vi.fn(() => {
    clock += ms
    return left-- > 0
  })
}

describe('a thread that spins', () => {
  it('parks when nothing has come for a while, and does not before', () => {
    const poll = poller(0.01)
    createSpin({ poll, idleMs: 1, burstMs: 0.05 }).stir()
    turns()
    expect(clock).toBeGreaterThanOrEqual(1001)
    expect(clock).toBeLessThan(1001.1)
  })

  it('lets its own events have a turn after every burst, and what a message sets off at once', () => {
    const poll = poller(0.01, 1)
    createSpin({ poll, idleMs: 1, burstMs: 0.05 }).stir()
    vi.advanceTimersToNextTimer()
    expect(poll).toHaveBeenCalledTimes(1)
    vi.advanceTimersToNextTimer()
    expect(poll.mock.calls.length).toBeLessThanOrEqual(8)
  })

  it('does not park for what the system takes of it now and then', () => {
    let polls = 0
    const poll = () => {
      clock += ++polls % 1000 === 0 ? 0.5 : 0.01
      return false
    }
    createSpin({ poll, idleMs: 100, burstMs: 0.05 }).stir()
    turns()
    expect(clock).toBeGreaterThanOrEqual(1100)
  })

  it('says when it polls and when it does not, and goes on if something came in between', () => {
    const said: boolean[] = []
    let late = 1
    const setPolled = (polls: boolean) => {
      said.push(polls)
      return !polls && late-- > 0
    }
    createSpin({ poll: poller(0.01), setPolled, idleMs: 1, burstMs: 0.05 }).stir()
    turns()
    expect(said).toEqual([true, false, true, false])
  })

  it('parks for a while when the system takes its core away', () => {
    const poll = poller(2)
    const spin = createSpin({ poll, idleMs: 1000, burstMs: 0.05 })
    spin.stir()
    expect(turns()).toBe(1)
    spin.stir()
    expect(turns()).toBe(0)
    clock += 30
    spin.stir()
    expect(turns()).toBe(1)
  })
})

describe('places', () => {
  const shared = (free: number) => {
    const numbers = new Int32Array(new SharedArrayBuffer(8))
    numbers[0] = free
    return numbers
  }
  const own = () => new Int32Array(new SharedArrayBuffer(4))

  it('are as many as there are, and come back once each', () => {
    const numbers = shared(1)
    const [one, two] = [new Places(numbers, own()), new Places(numbers, own())]
    expect([one.enter(), two.enter()]).toEqual([true, false])
    one.leave()
    one.leave()
    expect(numbers[0]).toBe(1)
    expect(two.enter()).toBe(true)
  })

  it('are given up by one idle thread for each that wants one, and by none that works', () => {
    const numbers = shared(1)
    const [one, two] = [new Places(numbers, own()), new Places(numbers, own())]
    one.enter()
    expect(one.isWanted(5)).toBe(false)
    two.enter()
    expect([one.isWanted(0.1), one.isWanted(5), one.isWanted(5)]).toEqual([false, true, false])
  })

  it('come back when their thread parks', () => {
    const numbers = shared(1)
    createSpin({ poll: poller(0.01), idleMs: 1, places: new Places(numbers, own()) }).stir()
    expect(numbers[0]).toBe(0)
    turns()
    expect(numbers[0]).toBe(1)
  })

  it('leave nothing over when all are taken', () => {
    const numbers = shared(1)
    const rest = createSpin({ idleMs: 1, places: leftOver(numbers) })
    const one = new Places(numbers, own())
    const two = new Places(numbers, own())
    rest.stir()
    expect(vi.getTimerCount()).toBe(1)
    expect(one.enter()).toBe(true)
    expect(turns()).toBe(1)
    rest.stir()
    expect(vi.getTimerCount()).toBe(0)
    expect(two.enter()).toBe(false)
    one.leave()
    rest.stir()
    expect(vi.getTimerCount()).toBe(1)
  })
})
