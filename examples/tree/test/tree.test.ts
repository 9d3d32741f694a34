import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drained } from 'fusionize/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { scaledMs } from '../lib/sizes'
import { store } from '../lib/store'
import a from '../tasks/a'
import b from '../tasks/b'
import c from '../tasks/c'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tree-'))
  vi.stubEnv('TREE_STORE', folder)
  vi.stubEnv('TREE_SCALE', '0.001')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

test('the reply shows what b, d and e computed, one inside the other', async () => {
  expect(await a({ n: 3 })).toEqual({ n: 3, value: (3 * 5 + 4) * 2 })
  await drained()
})

test('c, f and g run for every request although nobody waits for them', async () => {
  await Promise.all([a({ n: 0 }), a({ n: 10 })])
  await drained()
  expect((await store.dump()).split('\n')).toEqual([
    'ran#0/c {"value":0}',
    'ran#0/f {"value":36}',
    'ran#0/g {"value":49}',
    'ran#10/c {"value":10}',
    'ran#10/f {"value":96}',
    'ran#10/g {"value":119}',
  ])
})

test('the timers of b, d and e add up', async () => {
  vi.stubEnv('TREE_SCALE', '0.02')
  const start = performance.now()
  await b({ n: 1, value: 1 })
  // Timers may fire up to a millisecond early.
  expect(performance.now() - start).toBeGreaterThan(3 * (scaledMs('timer') - 1))
})

test('a request that is sent twice leaves the same traces as one', async () => {
  await c({ n: 1, value: 1 })
  await drained()
  const once = await store.dump()
  await c({ n: 1, value: 1 })
  await drained()
  expect(await store.dump()).toBe(once)
})
