import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import * as realFs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { FileSystem } from './files.js'
import { createObjectStore, type ObjectStore, type ObjectStoreOptions } from './index.js'

const root = mkdtempSync(join(tmpdir(), 'fusionize-objects-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

const KB = 1024
const newFolder = () => join(root, `${++folders}`)
const open = (options: Partial<ObjectStoreOptions> = {}) => {
  const dir = options.dir ?? newFolder()
  const store = createObjectStore({ durability: 'none', memoryBytes: 100 * KB, diskBytes: 1000 * KB, ...options, dir })
  return { dir, store, files: () => (existsSync(dir) ? readdirSync(dir) : []) }
}
const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill)
const shared = (length: number, fill = 1) => new Uint8Array(new SharedArrayBuffer(length)).fill(fill)
const turn = () => new Promise((resolve) => setImmediate(resolve))
const until = (true_: () => void) => vi.waitFor(true_, { interval: 1, timeout: 5_000 })

/** `node:fs/promises`, but writes fail while `full` says so. */
interface Disk {
  full: boolean
  /** what writes of files wait for */
  stalled?: Promise<void>
  /** how many renames a sync of the folder waits for */
  renames: number
  calls: string[]
  fs: FileSystem
}

function disk(): Disk {
  const state: Disk = {
    full: false,
    renames: 0,
    calls: [],
    fs: {
      ...realFs,
      async rename(from, to) {
        await realFs.rename(from, to)
        state.calls.push('rename')
      },
      async open(path, flags) {
        const handle = await realFs.open(path, flags)
        const what = flags === 'w' ? 'file' : 'folder'
        return new Proxy(handle, {
          get(target, name) {
            const value = Reflect.get(target, name)
            if (typeof value !== 'function') return value
            return async (...args: unknown[]) => {
              if (name === 'write') {
                await state.stalled
                if (state.full)
                  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
              }
              if (name === 'sync') {
                state.calls.push(`sync ${what}`)
                if (what === 'folder') await until(() => expect(renamed()).toBeGreaterThanOrEqual(state.renames))
              }
              return value.apply(target, args)
            }
          },
        })
      },
    } as FileSystem,
  }
  const renamed = () => state.calls.filter((call) => call === 'rename').length
  return state
}

const settle = async (wait: Promise<void> | undefined) => {
  let state = 'waits'
  wait?.then(
    () => (state = 'passed'),
    (error) => (state = error.code),
  )
  await turn()
  return wait ? state : 'passed'
}

describe('an object', () => {
  it('is the memory that was held, without a copy', () => {
    const { store } = open()
    const value = shared(10)
    const { id } = store.hold(value)
    expect(store.read(id)).toBe(value)
    expect((store.read(id) as Uint8Array).buffer).toBe(value.buffer)
  })

  it('that is a small part of a large buffer is copied, so that it keeps no more than it counts', () => {
    const { store } = open()
    const { id } = store.hold(bytes(100 * KB, 5).subarray(7, 17))
    const read = store.read(id) as Uint8Array
    expect(read.buffer.byteLength).toBe(10)
    expect(read).toEqual(bytes(10, 5))
  })

  it('may be empty', async () => {
    const { store } = open({ durability: 'journal' })
    const { id, held } = store.hold(bytes(0))
    await held
    expect(readFileSync(await store.file(id))).toHaveLength(0)
  })

  it('is freed with its last reference', () => {
    const { store } = open()
    const { id } = store.hold(bytes(10))
    store.retain(id)
    store.release(id)
    expect(store.stats()).toMatchObject({ objects: 1, memoryBytes: 10 })
    store.release(id)
    expect(store.stats()).toMatchObject({ objects: 0, memoryBytes: 0 })
    expect(() => store.read(id)).toThrow(expect.objectContaining({ code: 'SESSION_CLOSED' }))
    expect(() => store.retain(id)).toThrow(expect.objectContaining({ code: 'SESSION_CLOSED' }))
    store.release(id)
    expect(store.stats()).toMatchObject({ objects: 0, memoryBytes: 0 })
  })

  it('of many chunks comes back from its file as it was', async () => {
    const { store, files } = open({ memoryBytes: 0, diskBytes: 10_000 * KB })
    const value = shared(3 * 1024 * KB + 17).map((_, at) => at % 251)
    const { id } = store.hold(value)
    await until(() => expect(store.stats()).toMatchObject({ spilled: 1, memoryBytes: 0, diskBytes: value.length }))
    const read = await store.read(id)
    expect(read.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(Buffer.compare(read, value)).toBe(0)
    store.release(id)
    await until(() => expect(store.stats()).toMatchObject({ diskBytes: 0, spilled: 0 }))
    expect(files()).toEqual([])
  })
})

describe('a full memory', () => {
  it('spills what was used least recently', async () => {
    const { store } = open({ memoryBytes: 30 })
    const [a, b, c] = [1, 2, 3].map((fill) => store.hold(shared(10, fill)).id) as [string, string, string]
    store.read(a)
    const wait = store.room(10)
    expect(store.stats()).toMatchObject({ waiting: 1 })
    await wait
    expect(store.stats()).toMatchObject({ objects: 3, memoryBytes: 20, diskBytes: 10, spilled: 1, waiting: 0 })
    expect(store.read(a)).toBeInstanceOf(Uint8Array)
    expect(store.read(c)).toBeInstanceOf(Uint8Array)
    expect(await store.read(b)).toEqual(shared(10, 2))
  })

  it('lets an object be read while it is spilled', async () => {
    const state = disk()
    let go = () => {}
    state.stalled = new Promise((resolve) => (go = resolve))
    const { store } = open({ memoryBytes: 10, fs: state.fs })
    const value = shared(10)
    const { id } = store.hold(value)
    const wait = store.room(10)
    await turn()
    expect(store.read(id)).toBe(value)
    expect(store.stats()).toMatchObject({ memoryBytes: 10, waiting: 1 })
    go()
    await wait
    expect(store.stats()).toMatchObject({ memoryBytes: 0, spilled: 1 })
  })

  it('counts an object that is released while it is spilled until that is over, and leaves no file', async () => {
    const state = disk()
    let go = () => {}
    state.stalled = new Promise((resolve) => (go = resolve))
    const { store, files } = open({ memoryBytes: 10, fs: state.fs })
    const { id } = store.hold(shared(10))
    const wait = store.room(10)
    await until(() => expect(files()).toHaveLength(1))
    store.release(id)
    expect(store.stats()).toMatchObject({ objects: 0, memoryBytes: 10 })
    go()
    await wait
    expect(store.stats()).toMatchObject({ memoryBytes: 0, diskBytes: 0, spilled: 0 })
    expect(files()).toEqual([])
  })

  it('holds back when the disk is full too, until something is released; first come, first served', async () => {
    const { store } = open({ memoryBytes: 20, diskBytes: 20 })
    const ids = [1, 2, 3, 4].map((fill) => store.hold(shared(10, fill)).id)
    await until(() => expect(store.stats()).toMatchObject({ memoryBytes: 20, diskBytes: 20 }))
    const passed: string[] = []
    const wait = (name: string, size: number) => store.room(size)?.then(() => void passed.push(name))
    const first = wait('large', 15)
    const second = wait('small', 1)
    await turn()
    expect(store.stats().waiting).toBe(2)
    store.release(ids[3] as string)
    await turn()
    expect(passed).toEqual([])
    for (const id of ids) store.release(id)
    await Promise.all([first, second])
    expect(passed).toEqual(['large', 'small'])
  })

  it('keeps the room of one who waited from others until he took it', async () => {
    const { store } = open({ memoryBytes: 10, diskBytes: 0 })
    store.charge(10)
    let others: Promise<void> | undefined
    const wait = store.room(6)?.then(() => {
      others = store.room(6)
      store.charge(6)
    })
    store.discharge(10)
    await wait
    expect(await settle(others)).toBe('waits')
    store.discharge(6)
    await others
  })

  it('counts small values that live elsewhere', async () => {
    const { store } = open({ memoryBytes: 10, diskBytes: 0 })
    store.charge(8)
    expect(store.room(2, 'charge')).toBeUndefined()
    const wait = store.room(3, 'charge')
    expect(await settle(wait)).toBe('waits')
    store.discharge(1)
    await wait
  })

  it('has a reader wait for no one: read back, one at a time, it goes first to make room again', async () => {
    const { store } = open({ memoryBytes: 10, diskBytes: 100 })
    const ids = [1, 2, 3].map((fill) => store.hold(shared(10, fill)).id)
    const room = store.room(10, 'charge')
    await room
    store.charge(10)
    const wait = store.room(10, 'charge')
    const reads = ids.map((id) => store.read(id))
    expect(store.stats().memoryBytes).toBe(20)
    for (const [i, read] of (await Promise.all(reads)).entries()) expect(read).toEqual(shared(10, i + 1))
    expect(store.stats()).toMatchObject({ memoryBytes: 10, waiting: 1, spilled: 3 })
    store.discharge(10)
    await wait
  })

  it('shares one reading among all who read', async () => {
    const { store } = open({ memoryBytes: 0 })
    const { id } = store.hold(shared(10))
    await until(() => expect(store.stats().spilled).toBe(1))
    const [a, b] = await Promise.all([store.read(id), store.read(id)])
    expect(a).toBe(b)
  })
})

describe('an object too large', () => {
  it('for every cap is refused with the cap and the option to raise', async () => {
    const limits = { memoryBytes: 10, diskBytes: 20 }
    const code = 'PAYLOAD_TOO_LARGE'
    await expect(open(limits).store.room(21)).rejects.toMatchObject({ code, message: /20 bytes.*diskBytes/ })
    await expect(open(limits).store.room(11, 'charge')).rejects.toMatchObject({
      code,
      message: /10 bytes.*memoryBytes/,
    })
    await expect(open({ ...limits, diskBytes: 0 }).store.room(11)).rejects.toMatchObject({
      code,
      message: /memoryBytes/,
    })
    const durable = open({ memoryBytes: 100, diskBytes: 20, durability: 'journal' }).store
    await expect(durable.room(21)).rejects.toMatchObject({ code, message: /diskBytes/ })
    expect(durable.room(21, 'charge')).toBeUndefined()
  })

  it('for memory goes to disk, one at a time', async () => {
    const { store } = open({ memoryBytes: 10, diskBytes: 100 })
    expect(store.room(40)).toBeUndefined()
    const { id } = store.hold(shared(40, 3))
    const next = store.room(40)
    expect(store.stats().waiting).toBe(1)
    await next
    expect(store.stats()).toMatchObject({ memoryBytes: 0, diskBytes: 40, spilled: 1 })
    expect(await store.read(id)).toEqual(shared(40, 3))
  })
})

describe('a disk that is full', () => {
  it('loses nothing, tells who waits, and serves on when it has space', async () => {
    const state = disk()
    state.full = true
    const { store, files } = open({ memoryBytes: 10, fs: state.fs })
    const value = shared(10, 9)
    const { id } = store.hold(value)
    await expect(store.room(10)).rejects.toMatchObject({ code: 'JOURNAL_FAILED', message: /ENOSPC.*free space/ })
    expect(store.read(id)).toBe(value)
    expect(store.stats()).toMatchObject({ memoryBytes: 10, diskBytes: 0, waiting: 0 })
    expect(files()).toEqual([])
    state.full = false
    await store.room(10)
    expect(store.stats()).toMatchObject({ memoryBytes: 0, diskBytes: 10 })
    expect(await store.read(id)).toEqual(value)
  })

  it('is told to who holds a durable object, which can be tried again', async () => {
    const state = disk()
    state.full = true
    const { store, files } = open({ durability: 'journal', fs: state.fs })
    const { id, held } = store.hold(bytes(10, 4))
    await expect(held).rejects.toMatchObject({ code: 'JOURNAL_FAILED' })
    await expect(store.file(id)).rejects.toMatchObject({ code: 'JOURNAL_FAILED' })
    expect(store.read(id)).toEqual(bytes(10, 4))
    state.full = false
    expect(readFileSync(await store.file(id))).toEqual(Buffer.alloc(10, 4))
    store.release(id)
    await until(() => expect(files()).toEqual([]))
  })
})

describe('a durable object', () => {
  it('is in its file when held, and leaves memory at once when that is full', async () => {
    const { store, files } = open({ durability: 'journal', memoryBytes: 10 })
    const { id, held } = store.hold(shared(10, 6))
    await held
    expect(files()).toHaveLength(1)
    expect(store.stats()).toMatchObject({ memoryBytes: 10, diskBytes: 10, spilled: 0 })
    expect(store.room(10)).toBeUndefined()
    expect(store.stats()).toMatchObject({ memoryBytes: 0, diskBytes: 10, spilled: 1 })
    expect(await store.read(id)).toEqual(shared(10, 6))
  })

  it('needs room on disk', async () => {
    const { store } = open({ durability: 'journal', diskBytes: 10 })
    const { id, held } = store.hold(bytes(10))
    await held
    const wait = store.room(1)
    expect(await settle(wait)).toBe('waits')
    store.release(id)
    await wait
  })

  it('with fsync is synced before it gets its name, and its name before it counts; holds of one time share a sync of the folder', async () => {
    const state = disk()
    const { store } = open({ durability: 'fsync', fs: state.fs })
    await store.hold(bytes(10)).held
    expect(state.calls).toEqual(['sync folder', 'sync file', 'rename', 'sync folder'])
    state.calls.length = 0
    state.renames = 3
    await Promise.all(Array.from({ length: 3 }, () => store.hold(bytes(10)).held))
    expect(state.calls.filter((call) => call === 'sync file')).toHaveLength(3)
    expect(state.calls.at(-1)).toBe('sync folder')
    expect(state.calls.filter((call) => call === 'sync folder')).toHaveLength(2)
  })

  it('is found after a restart with as many references as its id was named; all other files are deleted', async () => {
    const first = open({ durability: 'journal' })
    const [a, b, c] = [1, 2, 3].map((fill) => first.store.hold(bytes(10, fill))) as [
      ReturnType<ObjectStore['hold']>,
      ReturnType<ObjectStore['hold']>,
      ReturnType<ObjectStore['hold']>,
    ]
    await Promise.all([a.held, b.held, c.held])
    writeFileSync(join(first.dir, `${'0'.repeat(32)}.draft`), 'half')
    writeFileSync(join(first.dir, 'other'), 'not an object')
    const { store, files } = open({ dir: first.dir, durability: 'journal' })
    const fresh = store.hold(bytes(10, 4))
    await fresh.held
    expect(await store.recover([a.id, b.id, a.id, 'f'.repeat(32)])).toEqual(['f'.repeat(32)])
    expect(
      files()
        .filter((name) => name !== 'other')
        .map((name) => name.slice(0, 32))
        .sort(),
    ).toEqual([a.id, b.id, fresh.id].sort())
    expect(await store.read(b.id)).toEqual(shared(10, 2))
    store.release(a.id)
    expect(await store.read(a.id)).toEqual(shared(10, 1))
    store.release(a.id)
    expect(() => store.read(a.id)).toThrow()
    await store.close()
    expect(files()).toHaveLength(3)
  })

  it('whose file was cut is not found, and one whose bytes changed is not read', async () => {
    const first = open({ durability: 'journal' })
    const cut = first.store.hold(bytes(10))
    const changed = first.store.hold(bytes(10))
    const [cutFile, changedFile] = [await first.store.file(cut.id), await first.store.file(changed.id)]
    truncateSync(cutFile, 4)
    writeFileSync(changedFile, bytes(10, 2))
    const { store } = open({ dir: first.dir, durability: 'journal' })
    expect(await store.recover([cut.id, changed.id])).toEqual([cut.id])
    expect(existsSync(cutFile)).toBe(false)
    await expect(store.file(changed.id)).rejects.toMatchObject({ code: 'JOURNAL_FAILED', message: /checksum/ })
    await expect(store.read(changed.id)).rejects.toMatchObject({ code: 'JOURNAL_FAILED' })
    expect(store.stats()).toMatchObject({ objects: 1, memoryBytes: 0, diskBytes: 10 })
    rmSync(changedFile)
    await expect(store.read(changed.id)).rejects.toMatchObject({ code: 'JOURNAL_FAILED', message: /ENOENT/ })
  })
})

describe('a file', () => {
  it('is written for a sandbox that is another process, and deleted with the object', async () => {
    const { store, files } = open()
    const { id } = store.hold(shared(10, 8))
    expect(files()).toEqual([])
    const [path, same] = await Promise.all([store.file(id), store.file(id)])
    expect(path).toBe(same)
    expect(readFileSync(path)).toEqual(Buffer.alloc(10, 8))
    expect(store.stats()).toMatchObject({ memoryBytes: 10, diskBytes: 10 })
    store.release(id)
    await until(() => expect(files()).toEqual([]))
    await expect(store.file(id)).rejects.toMatchObject({ code: 'SESSION_CLOSED' })
  })

  it('of a sandbox is taken over, not copied', async () => {
    const { store, dir } = open()
    const [from, twin] = [join(root, 'from'), join(root, 'twin')]
    writeFileSync(from, bytes(10, 7))
    linkSync(from, twin)
    expect(store.room(10, 'adopt')).toBeUndefined()
    const id = await store.adopt(from, 10)
    expect(existsSync(from)).toBe(false)
    const path = await store.file(id)
    expect(path.startsWith(dir)).toBe(true)
    writeFileSync(twin, bytes(10, 6))
    expect(readFileSync(path)).toEqual(Buffer.alloc(10, 6))
    expect(store.stats()).toMatchObject({ objects: 1, memoryBytes: 0, diskBytes: 10, spilled: 1 })
    expect(await store.read(id)).toEqual(shared(10, 6))
  })

  it('of a sandbox on another file system is copied', async () => {
    const state = disk()
    const from = join(root, 'far')
    const fs = {
      ...state.fs,
      async rename(source: string, to: string) {
        if (source === from) throw Object.assign(new Error('EXDEV'), { code: 'EXDEV' })
        renameSync(source, to)
      },
    } as FileSystem
    const { store } = open({ durability: 'fsync', fs })
    writeFileSync(from, bytes(10, 7))
    expect(await store.read(await store.adopt(from, 10))).toEqual(shared(10, 7))
    expect(existsSync(from)).toBe(false)
  })

  it('of a sandbox that is not whole is refused and stays', async () => {
    const { store, files } = open()
    const from = join(root, 'short')
    writeFileSync(from, bytes(9))
    await expect(store.adopt(from, 10)).rejects.toMatchObject({ code: 'INVALID_INPUT', message: /of 9/ })
    await expect(store.adopt(join(root, 'none'), 10)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect(existsSync(from)).toBe(true)
    expect(files()).toEqual([])
    expect(store.stats()).toMatchObject({ objects: 0, diskBytes: 0 })
  })
})

describe('closing', () => {
  it('without durability leaves nothing', async () => {
    const { store, dir } = open({ memoryBytes: 10 })
    for (let i = 0; i < 5; i++) store.hold(shared(10))
    await store.close()
    expect(existsSync(dir)).toBe(false)
  })

  it('waits for what is being held, sends away who waits, and keeps durable files whoever releases them', async () => {
    const { store, files } = open({ durability: 'journal', memoryBytes: 10, diskBytes: 10 })
    const { id, held } = store.hold(bytes(10))
    const wait = store.room(10)
    const closed = store.close()
    await expect(wait).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await closed
    await held
    store.release(id)
    expect(files()).toHaveLength(1)
    expect(() => store.hold(bytes(1))).toThrow(expect.objectContaining({ code: 'SHUTTING_DOWN' }))
    await expect(store.room(1)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
  })
})
