import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Wheel } from './wheel.js'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

function entry(due: () => void): { slot?: number; due(): void } {
  return { due }
}

test('entries are due at their time, at most one slot late, in any order of adding', () => {
  const wheel = new Wheel()
  const dueAt: number[] = []
  const start = Date.now()
  for (const ms of [500, 30, 1205, 30, 77])
    wheel.add(
      entry(() => dueAt.push(Date.now() - start)),
      start + ms,
    )
  vi.advanceTimersByTime(2000)
  expect(
    dueAt.map((ms, i) => ms - ([30, 30, 77, 500, 1205][i] as number)).every((late) => late >= 0 && late <= 10),
  ).toBe(true)
})

test('a removed entry is never due, and an entry added again is due at its last time only', () => {
  const wheel = new Wheel()
  const due = vi.fn()
  const [gone, moved] = [entry(due), entry(due)]
  wheel.add(gone, Date.now() + 50)
  wheel.add(moved, Date.now() + 50)
  wheel.remove(gone)
  wheel.add(moved, Date.now() + 300)
  vi.advanceTimersByTime(200)
  expect(due).not.toHaveBeenCalled()
  vi.advanceTimersByTime(200)
  expect(due).toHaveBeenCalledTimes(1)
})

test('an entry may add itself again when it is due', () => {
  const wheel = new Wheel()
  let times = 0
  const again = entry(() => {
    if (++times < 3) wheel.add(again, Date.now() + 100)
  })
  wheel.add(again, Date.now() + 100)
  vi.advanceTimersByTime(1000)
  expect(times).toBe(3)
})

test('deadlines beyond what a timer can hold do not fire early', () => {
  const wheel = new Wheel()
  const due = vi.fn()
  wheel.add(entry(due), Date.now() + 2 ** 31 + 5_000)
  vi.advanceTimersByTime(2 ** 31)
  expect(due).not.toHaveBeenCalled()
  vi.advanceTimersByTime(6_000)
  expect(due).toHaveBeenCalledTimes(1)
})
