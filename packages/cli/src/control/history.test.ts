import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findUnfinished, newHistory, type RunKey, saveHistory } from './history.js'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fusionize-history-'))
})
afterEach(() => rm(dir, { recursive: true }))

const key: RunKey = { appHash: 'a', strategy: 'closure', goal: { minimize: 'p50' }, load: 'steady' }

test('the newest unfinished run of the same app, goal, strategy and load is found', async () => {
  await saveHistory(dir, newHistory(key, new Date('2026-01-01T10:00:00Z')))
  const second = newHistory(key, new Date('2026-01-01T11:00:00Z'))
  await saveHistory(dir, second)
  expect((await findUnfinished(dir, key))?.run).toBe(second.run)
  await saveHistory(dir, { ...second, finished: true })
  expect((await findUnfinished(dir, key))?.startedAt).toBe('2026-01-01T10:00:00.000Z')
})

test.each([
  { ...key, appHash: 'b' },
  { ...key, strategy: 'published' },
  { ...key, goal: { minimize: 'cost' as const } },
  { ...key, load: 'burst' },
])('a run with another key is not gone on with: %o', async (other) => {
  await saveHistory(dir, newHistory(key, new Date()))
  expect(await findUnfinished(dir, other)).toBeUndefined()
})

test('a file that is broken or half written is passed over, and saving leaves none behind', async () => {
  const history = newHistory(key, new Date())
  await saveHistory(dir, history)
  await saveHistory(dir, history)
  await writeFile(join(dir, 'optimize', '9999.json'), '{"version":1,"run"')
  expect((await findUnfinished(dir, key))?.run).toBe(history.run)
  expect((await readdir(join(dir, 'optimize'))).filter((name) => name.startsWith('.'))).toEqual([])
})

test('there is nothing to go on with before the first run', async () => {
  expect(await findUnfinished(dir, key)).toBeUndefined()
})
