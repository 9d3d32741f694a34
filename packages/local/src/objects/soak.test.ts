import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, expect, test, vi } from 'vitest'
import { createObjectStore } from './index.js'

const root = mkdtempSync(join(tmpdir(), 'fusionize-objects-soak-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const MB = 2 ** 20
const ROUNDS = 12
/** Per round; in all more than a million, and far more bytes than may be held. */
const SMALL = 100_000
const LARGE = 1_000
const LARGE_BYTES = 64 * 1024
const MEMORY_BYTES = 16 * MB
const DISK_BYTES = 32 * MB
/** Objects that are held at a time: more than memory takes. */
const WINDOW = 400

test('memory and disk stay flat over a stream of more than a million objects', async () => {
  const dir = join(root, 'objects')
  const store = createObjectStore({ dir, durability: 'none', memoryBytes: MEMORY_BYTES, diskBytes: DISK_BYTES })
  const window: string[] = []
  let spills = 0

  async function round(): Promise<void> {
    for (let i = 0; i < SMALL; i++) {
      const room = store.room(100, 'charge')
      if (room) await room
      store.charge(100)
      store.discharge(100)
    }
    for (let i = 0; i < LARGE; i++) {
      const room = store.room(LARGE_BYTES)
      if (room) await room
      window.push(store.hold(new Uint8Array(new SharedArrayBuffer(LARGE_BYTES)).fill(i)).id)
      if (window.length > WINDOW) {
        const id = window.shift() as string
        if (i % 16 === 0) expect((await store.read(id)).length).toBe(LARGE_BYTES)
        store.release(id)
      }
      const { memoryBytes, diskBytes, spilled } = store.stats()
      spills = Math.max(spills, spilled)
      expect(memoryBytes <= MEMORY_BYTES + LARGE_BYTES && diskBytes <= DISK_BYTES).toBe(true)
    }
  }

  /** After each round, the garbage as the runtime leaves it. */
  const rss: number[] = []
  const heap: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    await round()
    rss.push(process.memoryUsage().rss)
    collect()
    heap.push(process.memoryUsage().heapUsed)
  }
  expect(spills).toBeGreaterThan(0)
  expect(grown(heap)).toBeLessThan(4 * MB)
  expect(grown(rss)).toBeLessThan(64 * MB)

  for (const id of window) store.release(id)
  const nothing = { objects: 0, memoryBytes: 0, diskBytes: 0, spilled: 0, waiting: 0 }
  await vi.waitFor(() => expect(store.stats()).toEqual(nothing))
  expect(readdirSync(dir)).toEqual([])
  await store.close()
}, 60_000)

/** How much higher the last third is than the second, by their highest. */
function grown(levels: number[]): number {
  const third = levels.length / 3
  return Math.max(...levels.slice(2 * third)) - Math.max(...levels.slice(third, 2 * third))
}

test('shared memory that nobody has any more is collected unasked', async () => {
  const store = createObjectStore({ dir: join(root, 'shared'), durability: 'none', memoryBytes: 64 * MB, diskBytes: 0 })
  const before = process.memoryUsage().rss
  let highest = 0
  for (let i = 0; i < 150; i++) {
    store.release(store.hold(new Uint8Array(new SharedArrayBuffer(8 * MB)).fill(1)).id)
    if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
    highest = Math.max(highest, process.memoryUsage().rss)
  }
  expect(highest - before).toBeLessThan(600 * MB)
}, 60_000)
