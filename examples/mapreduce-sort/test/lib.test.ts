import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillRecords, type RecordSum, sumOf } from '@fusionize/example-kit/records'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkOutputs } from '../lib/check-outputs'
import { recordsIn } from '../lib/files'
import type { Job, Output } from '../lib/job'
import { packed, sizeOf, unpacked } from '../lib/partition-file'
import { largestRange, partsOf, planOf } from '../lib/plan'
import { reduceRange } from '../lib/reduce-range'
import { checkRequest } from '../lib/request'
import { scratch } from '../lib/scratch'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sort-lib-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('parts follow one another and make up the input', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 50 }), (records, mappers) => {
      const parts = partsOf({ records, mappers })
      let next = 0
      for (const part of parts) {
        expect(part.first).toBe(next)
        next += part.records
      }
      expect(next).toBe(records)
      const sizes = parts.map((part) => part.records)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})

test('a plan has as many reducers as the memory needs, and keeps large sorts out of the bucket', () => {
  const gigabyte = 10_000_000
  const plan = planOf({ mappers: 8, reducers: 2, memoryMb: 512 }, gigabyte)
  expect(plan).toMatchObject({ mappers: 8, inlineBytes: 0 })
  expect((gigabyte * 100) / plan.reducers).toBeLessThan(largestRange(512))
  expect(plan.reducers).toBeLessThan(10)
  expect(planOf({ reducers: 30 }, 1_000)).toMatchObject({ mappers: 2, reducers: 30, inlineBytes: 2 ** 20 })
})

test('a request is checked field by field', () => {
  expect(() => checkRequest({})).not.toThrow()
  expect(() => checkRequest({ file: 'a/b' })).toThrow('file is "a/b"')
  expect(() => checkRequest({ file: '..' })).toThrow('file is ".."')
  expect(() => checkRequest({ seed: 0.5 })).toThrow('seed is 0.5')
  expect(() => checkRequest({ memoryMb: 64 })).toThrow('memoryMb is 64; give a whole number from 96')
})

test('a file that ends in the middle of a record is refused', () => {
  const file = join(folder, 'short')
  writeFileSync(file, Buffer.alloc(150))
  expect(() => recordsIn(file)).toThrow('does not end with a whole record')
})

test('a partition is packed and unpacked, as records or as pieces', () => {
  const pieces = {
    pieces: [
      [0, 100],
      [5_000, 300],
    ] as [number, number][],
  }
  const records = { records: new Uint8Array(200).fill(7) }
  for (const [partition, size] of [
    [pieces, 400],
    [records, 200],
  ] as const) {
    const { key, bytes } = packed('part-0001', 'range-0002', partition)
    expect(unpacked(key, new Uint8Array(bytes))).toEqual({ part: 'part-0001', partition })
    expect(sizeOf(partition)).toBe(size)
  }
})

test('scratch memory is the same memory until more is needed', () => {
  const first = scratch('records', 100)
  expect(scratch('records', 50).buffer).toBe(first.buffer)
  expect(scratch('records', 100).length).toBe(100)
  expect(scratch('spare', 50).buffer).not.toBe(first.buffer)
})

test('a range that does not fit in memory is refused', () => {
  const job = { memoryMb: 96, folder } as Job
  const partition = { pieces: [[0, largestRange(96) + 100]] as [number, number][] }
  expect(() => reduceRange(job, 'range-0001', [{ part: 'part-0000', partition }])).toThrow(
    'more than can be sorted in 96 MB',
  )
})

const all = Buffer.alloc(3_000)
fillRecords(all, 0, 1)
const sums = [0, 1, 2].map((i) => sumOf(all.subarray(i * 1_000, (i + 1) * 1_000))) as [RecordSum, RecordSum, RecordSum]
const outputs: Output[] = sums.map((sum, i) => ({ file: `range-${i}`, sum, firstKey: `${i}0`, lastKey: `${i}9` }))

test('outputs that are what was read, in order, pass; an empty range between them too', () => {
  expect(checkOutputs(outputs, [sumOf(all)])).toEqual(sumOf(all))
  const empty: Output = { file: 'empty', sum: { records: 0, low: 0, high: 0 } }
  expect(checkOutputs(outputs.toSpliced(1, 0, empty), sums)).toEqual(sumOf(all))
})

test('a range that is lost, doubled, changed or out of order is found', () => {
  const [a, b, c] = outputs as [Output, Output, Output]
  expect(() => checkOutputs([a, c], sums)).toThrow('30 records were read, and 20 written')
  expect(() => checkOutputs([a, a, c], sums)).toThrow('not the same')
  expect(() => checkOutputs([a, b, { ...c, sum: { ...c.sum, low: c.sum.low + 1 } }], sums)).toThrow('not the same')
  expect(() => checkOutputs([b, a, c], sums)).toThrow('range-0 begins before the range before it ends')
  expect(() => checkOutputs([a, { ...b, firstKey: '09' }, c], sums)).toThrow('range-1 begins before')
})
