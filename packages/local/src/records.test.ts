import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRecords } from './records.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fusionize-records-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('every line is read once, in order, from page to page', () => {
  const records = openRecords(dir)
  records.add('{"n":1}')
  records.add('{"n":2}')
  const first = records.since()
  expect(first.lines).toEqual(['{"n":1}', '{"n":2}'])
  expect(records.since(first.next)).toEqual({ lines: [], next: first.next })
  records.add('{"n":3}')
  expect(records.since(first.next).lines).toEqual(['{"n":3}'])
  records.close()
})

test('a cursor outlives the process, and a line that a crash cut off spoils no other', () => {
  const before = openRecords(dir)
  before.add('{"n":1}')
  const { next } = before.since()
  before.close()
  appendFileSync(join(dir, 'records.ndjson'), '{"n":')
  const after = openRecords(dir)
  after.add('{"n":2}')
  expect(after.since(next).lines.at(-1)).toBe('{"n":2}')
  after.close()
})

test('old files go, and a cursor into what is gone continues at the oldest that is left', () => {
  const records = openRecords(dir, 1000)
  const line = (n: number) => JSON.stringify({ n, padding: 'x'.repeat(200) })
  for (let n = 0; n < 60; n++) {
    records.add(line(n))
    records.since(String(Number.MAX_SAFE_INTEGER))
  }
  expect(readdirSync(dir).length).toBeLessThanOrEqual(5)
  const read: number[] = []
  let cursor = '0'
  for (;;) {
    const page = records.since(cursor)
    if (page.lines.length === 0) break
    read.push(...page.lines.map((text) => JSON.parse(text).n as number))
    cursor = page.next
  }
  expect(read.at(-1)).toBe(59)
  expect(read).toEqual(Array.from({ length: read.length }, (_, i) => 60 - read.length + i))
  records.close()
})
