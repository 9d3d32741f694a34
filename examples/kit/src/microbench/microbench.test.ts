import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chainCode, writeChain } from './chain.js'
import { fanOutCode, writeFanOut } from './fan-out.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'microbench-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test.each([1, 2, 1_000])('a chain of %i has a task and a bucket for each step', (n) => {
  writeChain(folder, n)
  expect(readdirSync(join(folder, 'tasks', 'chain'))).toHaveLength(n + 1)
  expect(readdirSync(join(folder, 'buckets', 'chain'))).toHaveLength(n + 1)
})

test('every file that is imported is written', () => {
  for (const code of [chainCode(3), fanOutCode(5)])
    for (const [path, text] of Object.entries(code))
      for (const [, from] of text.matchAll(/from '(\..*)'/g))
        expect(code).toHaveProperty([`${join(path, '..', from as string)}.ts`])
})

test('the fixed set has as many objects as are asked for', () => {
  writeFanOut(folder, 4_000)
  expect(readFileSync(join(folder, 'buckets', 'fan-set', 'parts.ts'), 'utf8')).toContain('bySet(keysOf(4000))')
  expect(existsSync(join(folder, 'tasks', 'fan-out', 'fan-out.ts'))).toBe(true)
})

test.each([0, 1.5, -1, 10_000])('a chain of %d steps is refused', (n) => {
  expect(() => chainCode(n)).toThrow(RangeError)
})
