import fc from 'fast-check'
import type { InvocationRecord, Span } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { doubleBilledMs, figuresOf } from '../src/profile/spans.js'
import { lengthOf, shareOut, subtractAll, union } from '../src/statistics/intervals.js'
import { simulate } from './simulate.js'
import { iotWorld } from './world.js'

const world = iotWorld()
const [example] = simulate(world, remoteSetup(world.app, 128), { requests: 1, everyMs: 1 }).records as [
  InvocationRecord,
]

function recordWith(spans: Partial<Span>[], more: Partial<InvocationRecord> = {}): InvocationRecord {
  const full = spans.map(
    (span): Span => ({
      parent: -1,
      task: 't',
      mode: 'call',
      route: 'inline',
      start: 0,
      end: 0,
      bytesIn: 0,
      bytesOut: 0,
      ...span,
    }),
  )
  return { ...example, ...more, spans: full }
}

test('own time is a span without the union of its calls', () => {
  const figures = figuresOf(
    recordWith([
      { end: 100 },
      { parent: 0, start: 10, end: 40 },
      { parent: 0, start: 30, end: 60, route: 'remote' },
      { parent: 0, start: 120, end: 150, mode: 'send' },
    ]),
  )
  expect(figures.map((f) => f.ownMs)).toEqual([50, 30, 0, 30])
  expect(figures.map((f) => f.overlapped)).toEqual([false, true, true, false])
  expect(figures.map((f) => f.addedMs).slice(1, 3)).toEqual([25, 25])
})

test('work that overlaps is shared: together it is the time worked', () => {
  // Two inline calls, 10–40 and 20–60: 10 alone, 20 together, 20 alone.
  const figures = figuresOf(
    recordWith([{ end: 60 }, { parent: 0, start: 10, end: 40 }, { parent: 0, start: 20, end: 60 }]),
  )
  expect(figures.map((f) => f.workMs)).toEqual([10, 20, 30])
})

test('runs in a pool work beside each other and beside the loop: nothing of theirs is shared', () => {
  const figures = figuresOf(
    recordWith([
      { end: 60 },
      { parent: 0, mode: 'map', start: 10, end: 40, pooled: true },
      { parent: 0, mode: 'map', start: 20, end: 60, pooled: true },
      { parent: 0, mode: 'map', start: 30, end: 60 },
    ]),
  )
  expect(figures.map((f) => f.workMs)).toEqual([10, 30, 40, 30])
  expect(figures.map((f) => f.overlapped)).toEqual([false, true, true, true])
  expect(figures.map((f) => f.ownCpuMs)).toEqual([undefined, undefined, undefined, undefined])
})

test('own CPU is known only of runs that had the process to themselves', () => {
  const alone = [
    { end: 60, cpu: 50 },
    { parent: 0, start: 10, end: 40, cpu: 20 },
  ]
  expect(figuresOf(recordWith(alone, { cpu: 50 })).map((f) => f.ownCpuMs)).toEqual([30, 20])
  expect(figuresOf(recordWith(alone, { cpu: 50, concurrent: 2 })).map((f) => f.ownCpuMs)).toEqual([
    undefined,
    undefined,
  ])
  const beside = [...alone, { parent: 0, start: 20, end: 60, cpu: 30 }]
  expect(figuresOf(recordWith(beside, { cpu: 50 }))[1]?.ownCpuMs).toBeUndefined()
})

test('double billing is time in which a remote call is open and nothing works', () => {
  // 0–20 own; 20–80 remote call, meanwhile 50–60 an inline call; 80–100 own.
  const spans: Partial<Span>[] = [
    { end: 100 },
    { parent: 0, start: 20, end: 80, route: 'remote' },
    { parent: 0, start: 50, end: 60 },
  ]
  expect(doubleBilledMs(recordWith(spans))).toBe(50)
})

test('a remote call of an inline task is double billing, and the inline task’s own time is not', () => {
  const spans: Partial<Span>[] = [
    { end: 100 },
    { parent: 0, start: 10, end: 90 },
    { parent: 1, start: 30, end: 70, route: 'remote', mode: 'map' },
    { parent: 1, start: 50, end: 80, route: 'remote', mode: 'map' },
  ]
  expect(doubleBilledMs(recordWith(spans))).toBe(50)
})

test('after-reply work that runs while another waits is not double billed', () => {
  const spans: Partial<Span>[] = [
    { end: 10 },
    { parent: 0, start: 10, end: 100, mode: 'send' },
    { parent: 1, start: 20, end: 90, route: 'remote' },
    { parent: 0, start: 10, end: 60, mode: 'send' },
  ]
  expect(doubleBilledMs(recordWith(spans))).toBe(30)
})

test('sends and inline calls are never double billing', () => {
  const spans: Partial<Span>[] = [
    { end: 100 },
    { parent: 0, start: 20, end: 80, route: 'remote', mode: 'send' },
    { parent: 0, start: 80, end: 90 },
  ]
  expect(doubleBilledMs(recordWith(spans))).toBe(0)
})

const intervals = fc.array(
  fc.tuple(fc.nat(50), fc.nat(50)).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
)

test('intervals agree with counting unit by unit', () => {
  const units = (list: readonly [number, number][]) =>
    new Set(list.flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i)))
  fc.assert(
    fc.property(intervals, intervals, (a, b) => {
      expect(lengthOf(union(a))).toBe(units(a).size)
      expect(lengthOf(subtractAll(union(a), union(b)))).toBe([...units(a)].filter((unit) => !units(b).has(unit)).length)
    }),
  )
})

test('shares of time add up to the union, and each is at most its own', () => {
  fc.assert(
    fc.property(fc.array(intervals.map(union)), (owned) => {
      const shares = shareOut(owned)
      const sum = shares.reduce((a, b) => a + b, 0)
      expect(sum).toBeCloseTo(lengthOf(union(owned.flat())), 6)
      for (const [i, share] of shares.entries()) expect(share).toBeLessThanOrEqual(lengthOf(owned[i] ?? []) + 1e-9)
    }),
  )
})
