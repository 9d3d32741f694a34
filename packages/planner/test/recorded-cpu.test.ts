import fc from 'fast-check'
import type { InvocationRecord, Span } from 'fusionize/record'
import { expect, test } from 'vitest'
import { type Computing, expectedStopsMs } from '../src/simulator/recorded-stops.js'
import { sharedCpuMs } from '../src/simulator/shared-cpu.js'

const quota = { kind: 'quota', periodMs: 20, tickMs: 4, sliceMs: 5, keepMs: 1 } as const

function recordOf(spans: Partial<Span>[], changes: Partial<InvocationRecord> = {}): InvocationRecord {
  const whole = spans.map((span) => ({
    ...{ parent: -1, task: 'a', mode: 'send', route: 'inline', start: 0, end: 1, bytesIn: 0, bytesOut: 0 },
    ...span,
  }))
  return { cpu: spans[0]?.cpu, concurrent: 1, spans: whole, ...changes } as InvocationRecord
}

test('CPU of runs that share an event loop is divided among those at work, and none of it is lost', () => {
  const rate = 0.6
  const interval = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 30 }))
  fc.assert(
    fc.property(fc.array(interval, { minLength: 1, maxLength: 6 }), (intervals) => {
      const spans = intervals.map(([start, length]) => ({ start, end: start + length, cpu: rate * length }))
      const shared = sharedCpuMs(recordOf(spans))
      const busy = new Set(spans.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)))
      const sum = shared.reduce<number>((all, ms) => all + (ms ?? 0), 0)
      expect(sum).toBeGreaterThan(0.99 * rate * busy.size)
      expect(sum).toBeLessThan(1.01 * rate * busy.size)
    }),
  )
})

test('a run that had the process to itself has all that was read, without what it called', () => {
  const [caller, callee, other] = sharedCpuMs(
    recordOf([
      { start: 0, end: 10, cpu: 8 },
      { parent: 0, start: 2, end: 6, cpu: 4 },
      { start: 20, end: 50, cpu: 3 },
    ]),
  )
  expect(caller).toBeCloseTo(4, 1)
  expect(callee).toBeCloseTo(4, 1)
  expect(other).toBeCloseTo(3, 1)
})

test('where nothing was read, or others were in the process, nobody knows', () => {
  expect(sharedCpuMs(recordOf([{}, {}]))).toEqual([undefined, undefined])
  expect(sharedCpuMs(recordOf([{ cpu: 1 }], { concurrent: 2 }))).toEqual([undefined])
  expect(sharedCpuMs(recordOf([{ cpu: 1 }, { route: 'remote', cpu: 1 }]))[1]).toBeUndefined()
})

/** One that computes evenly at 128 MB. */
function computing(start: number, end: number, cpuMs: number, sandbox = 's'): Computing {
  return { sandbox, own: [[start, end]], cpuMs, threads: 1, vcpus: 128 / 1769 }
}

test('a sandbox that has just used its quota stops the next run; one that has rested does not', () => {
  const [, soon] = expectedStopsMs([computing(0, 60, 6), computing(61, 62, 1)], quota)
  const [, later] = expectedStopsMs([computing(0, 60, 6), computing(500, 501, 1)], quota)
  const [, elsewhere] = expectedStopsMs([computing(0, 60, 6), computing(61, 62, 1, 'other')], quota)
  expect(soon).toBeGreaterThan(3)
  expect(later).toBeLessThan(1)
  expect(elsewhere).toBeLessThan(1)
})

test('what runs waited for each other is no waiting of theirs', () => {
  // Together they computed for 12 ms, which takes 110 at this size.
  const runs = [computing(0, 110, 4), computing(5, 110, 4), computing(10, 110, 4)]
  for (const [i, stops] of expectedStopsMs(runs, quota).entries()) {
    const [start, end] = runs[i]?.own[0] ?? [0, 0]
    expect(stops).toBeGreaterThan(0.8 * (end - start - 4))
  }
})

test('an even share stretches, and takes no notice of what was before', () => {
  const even = expectedStopsMs([computing(0, 60, 6), computing(61, 62, 1)], { kind: 'even' })
  expect(even[0]).toBeCloseTo((6 * 1769) / 128 - 6, 6)
  expect(even[1]).toBeCloseTo(1769 / 128 - 1, 6)
})
