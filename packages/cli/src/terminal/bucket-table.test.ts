import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { bucketTable } from './bucket-table.js'

test('the table of buckets tells objects, size, sessions, and the age of the oldest object', () => {
  const text = bucketTable([
    { bucket: 'frames', objects: 12, bytes: 1_840_000, sessions: 3, oldestMs: 4_210 },
    { bucket: 'hits', objects: 0, bytes: 0, sessions: 0, oldestMs: null },
    { bucket: 'readings', objects: 1, bytes: 80, sessions: 1, oldestMs: 12_600_000 },
  ])
  expect(`\n${stripVTControlCharacters(text)}\n`).toBe(`
bucket    objects    size  sessions  oldest
frames         12  1.8 MB         3   4.2 s
hits            0     0 B         0       –
readings        1    80 B         1   3.5 h
`)
})
