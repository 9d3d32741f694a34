import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileStore } from './file-store.js'
import type { Store } from './store.js'

let folder: string
let store: Store

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kit-store-'))
  store = fileStore(() => folder)
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a document is read as it was put, and the last one put counts', async () => {
  expect(await store.get('readings/s-1')).toBeUndefined()
  await store.put('readings/s-1', { sound: 40 })
  await store.put('readings/s-1', { sound: 50, tags: ['a'] })
  expect(await store.get('readings/s-1')).toEqual({ sound: 50, tags: ['a'] })
})

test('keys are listed in order, by prefix', async () => {
  expect(await store.list()).toEqual([])
  for (const key of ['b/2', 'a/1', 'b/10', 'c']) await store.put(key, 0)
  expect(await store.list()).toEqual(['a/1', 'b/10', 'b/2', 'c'])
  expect(await store.list('b/')).toEqual(['b/10', 'b/2'])
})

test('an entry that is appended again counts once; a different value under its id shows', async () => {
  await store.append('alerts', 'b', { x: 1, y: 2 })
  await store.append('alerts', 'a', 7)
  await store.append('alerts', 'b', { y: 2, x: 1 })
  expect(await store.entries('alerts')).toEqual([
    { id: 'a', value: 7 },
    { id: 'b', value: { x: 1, y: 2 } },
  ])
  await store.append('alerts', 'a', 8)
  expect((await store.entries('alerts')).map(({ id, value }) => [id, value])).toEqual([
    ['a', 7],
    ['a', 8],
    ['b', { x: 1, y: 2 }],
  ])
})

test('an entry that its writer left half written does not spoil the next', async () => {
  await store.append('alerts', 'a', 1)
  appendFileSync(join(folder, 'streams', 'alerts.json'), '\n{"id":"b","va')
  await store.append('alerts', 'c', 3)
  expect((await store.entries('alerts')).map(({ id }) => id)).toEqual(['a', 'c'])
})

test('two stores with the same contents dump the same text, in whatever order they were written', async () => {
  const other = fileStore(() => join(folder, 'other'))
  const writes = [
    (s: Store) => s.put('readings/1', { a: 1, b: 2 }),
    (s: Store) => s.put('readings/2', { b: 2, a: 1 }),
    (s: Store) => s.append('signs', '1', 'on'),
    (s: Store) => s.append('signs', '2', 'off'),
  ]
  const left = fileStore(() => join(folder, 'one'))
  for (const write of writes) await write(left)
  for (const write of [...writes].reverse()) await write(other)
  await other.append('signs', '1', 'on')
  expect(await other.dump()).toBe(await left.dump())
  expect(await left.dump()).toBe('readings/1 {"a":1,"b":2}\nreadings/2 {"a":1,"b":2}\nsigns#1 "on"\nsigns#2 "off"')
})

test('a key cannot leave the folder', async () => {
  for (const key of ['../x', 'a/../b', '/etc/x', '', 'a//b', '.hidden', 'a b']) {
    await expect(store.put(key, 1)).rejects.toThrow(RangeError)
    await expect(store.append(key, 'id', 1)).rejects.toThrow(RangeError)
  }
})

test('processes that write at once lose no entry and never show half a document', async () => {
  const writer = `
    import { fileStore } from ${JSON.stringify(new URL('../dist/file-store.js', import.meta.url).href)}
    const store = fileStore(() => ${JSON.stringify(folder)})
    const [me] = process.argv.slice(-1)
    for (let i = 0; i < 200; i++) {
      await store.append('events', me + '-' + i, { text: 'x'.repeat(i * 10) })
      await store.put('shared', { me, text: me.repeat(20_000) })
      const { me: who, text } = await store.get('shared')
      if (text !== who.repeat(20_000)) throw new Error('half a document')
    }`
  const writers = ['a', 'b', 'c', 'd'].map((me) =>
    spawn(process.execPath, ['--input-type=module', '-e', writer, me], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  const codes = await Promise.all(writers.map(async (child) => (await once(child, 'exit'))[0]))
  expect(codes).toEqual([0, 0, 0, 0])
  expect(await store.entries('events')).toHaveLength(800)
  expect(readdirSync(join(folder, 'documents'))).toEqual(['shared.json'])
}, 20_000)
