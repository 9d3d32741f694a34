import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkSorted, sumOfFile } from '@fusionize/example-kit/records'
import { drained } from 'fusionize/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SortReply } from '../lib/job'
import type { SortRequest } from '../lib/request'
import sort from '../tasks/sort'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sort-'))
  vi.stubEnv('SORT_WORK', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** The reply is what the last task puts. */
async function sorted(request: SortRequest): Promise<SortReply> {
  const reply = (await sort(request)) as unknown as SortReply
  await drained()
  return reply
}

const input = (seed: number, records: number) => join(folder, `input-${seed}-${records}`)

test('partitions go through the bucket and come out sorted', async () => {
  const reply = await sorted({ seed: 2, records: 10_000, mappers: 3, reducers: 4 })
  expect(reply).toMatchObject({ records: 10_000, mappers: 3, reducers: 4 })
  expect(reply.files).toHaveLength(4)
  expect(checkSorted(reply.files, sumOfFile(input(2, 10_000)))).toEqual([])
  const bySort = execFileSync('sort', [input(2, 10_000)], { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1e8 })
  expect(Buffer.concat(reply.files.map((file) => readFileSync(file))).equals(bySort)).toBe(true)
})

test('large partitions go through files, which are gone afterwards', async () => {
  const reply = await sorted({ records: 5_000, mappers: 4, reducers: 3, inlineBytes: 1_000 })
  expect(checkSorted(reply.files, sumOfFile(input(1, 5_000)))).toEqual([])
  expect(readdirSync(join(reply.files[0] as string, '..')).sort()).toEqual(['range-0000', 'range-0001', 'range-0002'])
})

test('an input that does not fit in memory is divided further', async () => {
  const reply = await sorted({ records: 400_000, mappers: 1, reducers: 1, memoryMb: 96 })
  expect(reply.reducers).toBeGreaterThan(5)
  expect(checkSorted(reply.files, sumOfFile(input(1, 400_000)))).toEqual([])
})

test('more mappers and reducers than records, and no records at all', async () => {
  for (const records of [0, 1, 3]) {
    const reply = await sorted({ seed: 4, records, mappers: 5, reducers: 6 })
    expect(reply.files).toHaveLength(6)
    expect(checkSorted(reply.files, sumOfFile(input(4, records)))).toEqual([])
  }
})

test('a file of its own, in which all keys are the same, is sorted by the rest', async () => {
  const lines = Array.from({ length: 500 }, (_, i) => `same key  ${String((i * 7) % 500).padStart(89)}\n`)
  writeFileSync(join(folder, 'mine'), lines.join(''))
  const { files } = await sorted({ file: 'mine', mappers: 2, reducers: 2 })
  expect(files.map((file) => readFileSync(file, 'latin1')).join('')).toBe([...lines].sort().join(''))
})

test('two sorts at once do not mix', async () => {
  const replies = await Promise.all([5, 6].map((seed) => sort({ seed, records: 3_000, mappers: 2, reducers: 3 })))
  await drained()
  for (const [i, { files }] of (replies as unknown as SortReply[]).entries())
    expect(checkSorted(files, sumOfFile(input(5 + i, 3_000)))).toEqual([])
})

test.each<SortRequest>([
  { file: '../secret' },
  { file: 'missing' },
  { records: -1 },
  { mappers: 0 },
  { reducers: 1.5 },
  { memoryMb: 10 },
])('%j is refused', async (request) => {
  await expect(sort(request)).rejects.toThrow()
})
