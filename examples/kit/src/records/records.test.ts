import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkSorted, firstStepBack, sumOfFile } from './check.js'
import { compareBytes, keyBytes, recordBytes } from './format.js'
import { fillRecords, writeRecords } from './generate.js'
import { partitioner } from './partition.js'
import { boundsOf, sampleBounds } from './ranges.js'
import { sortRecords } from './sort.js'
import { addSums, nothing, sameSum, sumOf } from './sum.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'records-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function made(records: number, seed = 1, first = 0): Buffer {
  const buffer = Buffer.alloc(records * recordBytes)
  fillRecords(buffer, first, seed)
  return buffer
}

function listOf(records: Buffer): Buffer[] {
  return Array.from({ length: records.length / recordBytes }, (_, i) =>
    records.subarray(i * recordBytes, (i + 1) * recordBytes),
  )
}

function sorted(records: Buffer): Buffer {
  const copy = Buffer.from(records)
  sortRecords(copy, Buffer.alloc(copy.length))
  return copy
}

function write(name: string, records: Buffer): string {
  const file = join(folder, name)
  writeFileSync(file, records)
  return file
}

/** Records of few different bytes, so that keys and whole records are often the same, or differ late. */
const records = fc
  .tuple(fc.array(fc.array(fc.constantFrom(0, 32, 65, 66, 255), { minLength: 12, maxLength: 12 })), fc.nat(10))
  .map(([heads, same]) =>
    Buffer.concat(
      heads.map((head) => {
        const record = Buffer.alloc(recordBytes, 0x2e)
        record.set(head.slice(same))
        return record
      }),
    ),
  )

test('a record follows from the seed and its number, is printable and ends with a line break', () => {
  const all = made(1_000, 7)
  expect(Buffer.concat([made(300, 7), made(700, 7, 300)])).toEqual(all)
  expect(made(1_000, 8).equals(all)).toBe(false)
  expect(all.toString('latin1')).toMatch(/^(?:[ -~]{99}\n){1000}$/)
  const keys = new Set(listOf(all).map((record) => record.toString('latin1', 0, keyBytes)))
  expect(keys.size).toBe(1_000)
})

test('records beyond number 2³² differ from those before', () => {
  expect(made(1, 1, 2 ** 32 + 5).equals(made(1, 1, 5))).toBe(false)
})

test('keys are spread evenly', () => {
  const counts = new Array<number>(95).fill(0)
  for (const record of listOf(made(20_000))) {
    const letter = (record[0] as number) - 32
    counts[letter] = (counts[letter] as number) + 1
  }
  expect(Math.max(...counts)).toBeLessThan(20_000 / 95 + 150)
  expect(Math.min(...counts)).toBeGreaterThan(20_000 / 95 - 120)
})

test('a file of records is the records one after the other', () => {
  const file = join(folder, 'records')
  writeRecords(file, { seed: 3, records: 80_017 })
  expect(readFileSync(file).equals(made(80_017, 3))).toBe(true)
})

test('sorting orders any records by all their bytes', () => {
  fc.assert(
    fc.property(records, (input) => {
      const expected = listOf(input).sort(Buffer.compare)
      expect(listOf(sorted(input))).toEqual(expected)
    }),
  )
})

test('sorting many records gives the same order as LC_ALL=C sort', () => {
  const input = made(30_000)
  const bySort = execFileSync('sort', [write('input', input)], { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1e8 })
  expect(sorted(input).equals(bySort)).toBe(true)
})

test('records whose keys are all the same are sorted by the rest', () => {
  const input = made(5_000)
  for (let at = 0; at < input.length; at += recordBytes) input.fill('x', at, at + keyBytes)
  expect(sorted(input).equals(Buffer.concat(listOf(input).sort(Buffer.compare)))).toBe(true)
})

test('memory that cannot be read as words is refused', () => {
  const odd = Buffer.alloc(recordBytes + 1).subarray(1)
  expect(() => sortRecords(Buffer.alloc(recordBytes), odd)).toThrow(RangeError)
  expect(() => sortRecords(Buffer.alloc(recordBytes + 4), Buffer.alloc(recordBytes + 4))).toThrow('no whole number')
})

test('a partitioner puts every record into the range of its key, in the order that they had', () => {
  fc.assert(
    fc.property(records, records, (input, sample) => {
      const keys = Buffer.concat(listOf(sample).map((record) => record.subarray(0, keyBytes)))
      const bounds = boundsOf(keys, Math.max(1, keys.length / keyBytes))
      const { ranges, split } = partitioner(bounds)
      const into = Buffer.alloc(input.length)
      const starts = split(input, into)
      const isIn = (record: Buffer, r: number) =>
        (r === 0 || compareBytes(record, 0, bounds, (r - 1) * keyBytes, keyBytes) >= 0) &&
        (r === ranges - 1 || compareBytes(record, 0, bounds, r * keyBytes, keyBytes) < 0)
      for (let r = 0; r < ranges; r++)
        expect(listOf(into.subarray(starts[r], starts[r + 1]))).toEqual(
          listOf(input).filter((record) => isIn(record, r)),
        )
      expect([starts[0], starts[ranges]]).toEqual([0, input.length])
    }),
  )
})

test('bounds from a sample cut a file into ranges of about the same size', () => {
  const input = made(40_000)
  const { split } = partitioner(sampleBounds(write('input', input), 40_000, 8))
  const starts = split(input, Buffer.alloc(input.length))
  for (let r = 0; r < 8; r++) {
    const share = ((starts[r + 1] as number) - (starts[r] as number)) / input.length
    expect(share).toBeGreaterThan(0.8 / 8)
    expect(share).toBeLessThan(1.2 / 8)
  }
})

test('sums do not depend on order or on parts', () => {
  fc.assert(
    fc.property(records, fc.nat(), (input, cut) => {
      const list = listOf(input)
      const at = list.length === 0 ? 0 : (cut % list.length) * recordBytes
      expect(sumOf(sorted(input))).toEqual(sumOf(input))
      expect(addSums(sumOf(input.subarray(0, at)), sumOf(input.subarray(at)))).toEqual(sumOf(input))
    }),
  )
  expect(sameSum(sumOf(Buffer.alloc(0)), nothing)).toBe(true)
})

test('the sum changes with every bit of a record', () => {
  const input = made(3)
  const before = sumOf(input)
  for (let bit = 0; bit < input.length * 8; bit++) {
    const at = bit >> 3
    input[at] = (input[at] as number) ^ (1 << (bit & 7))
    expect(sameSum(sumOf(input), before)).toBe(false)
    input[at] = (input[at] as number) ^ (1 << (bit & 7))
  }
  expect(sumOf(input)).toEqual(before)
})

test('sorted files pass the check, wherever one ends and the next begins', () => {
  const input = made(1_000)
  const output = sorted(input)
  const expected = sumOfFile(write('input', input))
  expect(expected).toEqual(sumOf(input))
  for (const cut of [0, 1, 500, 999, 1_000]) {
    const files = [write('a', output.subarray(0, cut * 100)), write('b', output.subarray(cut * 100))]
    expect(checkSorted(files, expected)).toEqual([])
  }
})

test('a file longer than what is read at once is checked over the seams', () => {
  const output = sorted(made(170_000))
  const expected = sumOf(output)
  expect(checkSorted([write('a', output)], expected)).toEqual([])
  const swapped = Buffer.from(output)
  output.copy(swapped, 79_999 * 100, 80_000 * 100, 80_001 * 100)
  output.copy(swapped, 80_000 * 100, 79_999 * 100, 80_000 * 100)
  expect(checkSorted([write('b', swapped)], expected)).toEqual([
    `${join(folder, 'b')}: record 80000 belongs before the one before it`,
  ])
})

test('a record that is lost, doubled, altered, misplaced or cut is found', () => {
  const output = sorted(made(200))
  const expected = sumOf(output)
  const list = listOf(output)
  const check = (changed: Buffer[]) => checkSorted([write('out', Buffer.concat(changed))], expected).join()
  fc.assert(
    fc.property(fc.nat(199), fc.nat(199), (i, j) => {
      fc.pre(i !== j)
      expect(check(list.toSpliced(i, 1))).toContain('200 records expected, 199 found')
      expect(check(list.toSpliced(i, 0, list[i] as Buffer))).toContain('200 records expected, 201 found')
      // Lost here and doubled there: as many as before, and in order.
      const traded = list.toSpliced(i, 1, list[i === 0 ? 1 : i - 1] as Buffer)
      expect(check(traded)).toBe('as many records as expected, but not the same')
      const altered = Buffer.from(list[i] as Buffer)
      altered[60] = (altered[60] as number) + 1
      expect(check(list.toSpliced(i, 1, altered))).toContain('not the same')
      expect(check(list.with(i, list[j] as Buffer).with(j, list[i] as Buffer))).toContain('belongs before')
      expect(check(list.with(i, (list[i] as Buffer).subarray(1)))).toContain('in the middle of a record')
    }),
    { numRuns: 30 },
  )
})

test('files in the wrong order are found', () => {
  const output = sorted(made(100))
  const [a, b] = [write('a', output.subarray(0, 5_000)), write('b', output.subarray(5_000))]
  expect(checkSorted([b, a], sumOf(output))).toEqual([`${a}: record 0 belongs before the one before it`])
  expect(firstStepBack(output)).toBeUndefined()
})
