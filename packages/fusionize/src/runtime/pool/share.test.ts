import { expect, test } from 'vitest'
import { CpuShare } from './share.js'

function after(...readings: [activeMs: number, elapsedMs: number, items: number][]): boolean {
  const share = new CpuShare()
  for (const reading of readings) share.note('t', ...reading)
  return share.isBound('t')
}

test('items are CPU-bound when they compute most of their time, and long enough to be worth a hand-over', () => {
  expect(after()).toBe(false)
  expect(after([90, 100, 10])).toBe(true)
  expect(after([10, 100, 10])).toBe(false)
  expect(after([9, 10, 100])).toBe(false)
})

test('one reading against many changes nothing, some do', () => {
  const bound: [number, number, number] = [90, 100, 4]
  const waiting: [number, number, number] = [1, 100, 4]
  expect(after(bound, bound, bound, waiting)).toBe(true)
  expect(after(bound, bound, bound, waiting, waiting, waiting, waiting)).toBe(false)
  expect(after(waiting, bound)).toBe(false)
})
