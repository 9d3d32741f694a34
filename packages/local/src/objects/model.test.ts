import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test, vi } from 'vitest'
import { createObjectStore, type ObjectStore, type ObjectStoreOptions, type Use } from './index.js'

const seed = Number(process.env.SEED ?? 20_262)
const runs = { seed, numRuns: Number(process.env.RUNS ?? 150) }

const root = mkdtempSync(join(tmpdir(), 'fusionize-objects-model-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

/** The largest object; caps are above it, so that nothing is ever refused. */
const LARGEST = 40

type Command =
  | { kind: 'put'; use: Use; size: number }
  | { kind: 'retain' | 'release'; index: number }
  | { kind: 'read' | 'file'; index: number }
  | { kind: 'discharge' }
  | { kind: 'turn' }
  | { kind: 'restart' }

const index = fc.nat(20)
const size = fc.nat(LARGEST)
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('put' as const),
        use: fc.constantFrom<Use>('hold', 'hold', 'charge', 'adopt'),
        size,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('retain' as const), index }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('release' as const), index }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('read' as const), index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('file' as const), index }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'discharge' as const }) },
    { weight: 4, arbitrary: fc.constant({ kind: 'turn' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  ),
  { maxLength: 60 },
)

interface Held {
  id: string
  bytes: Uint8Array
  references: number
  /** References of readings under way. */
  looks: number
  held: Promise<void>
}

/** What the store should have, and what was asked of it that is not answered yet. */
class World {
  store: ObjectStore
  objects: Held[] = []
  charged: number[] = []
  /** Puts in the order in which they asked, and in which they got their room. */
  asked: number[] = []
  entered: number[] = []
  puts: Promise<void>[] = []
  /** Readings; their objects are referenced until they are over. */
  reads: Promise<void>[] = []
  #fill = 0

  constructor(readonly options: ObjectStoreOptions) {
    this.store = createObjectStore(options)
  }

  run(command: Command): void | Promise<void> {
    if (command.kind === 'put') return this.#put(command.use, command.size)
    if (command.kind === 'discharge') return this.#discharge()
    if (command.kind === 'turn') return turn()
    if (command.kind === 'restart') return this.#restart()
    const object = this.objects[command.index % this.objects.length]
    if (!object) return
    if (command.kind === 'retain') {
      this.store.retain(object.id)
      object.references++
    } else if (command.kind === 'release') this.#release(object)
    else this.#look(object, command.kind)
  }

  #put(use: Use, size: number): void {
    const bytes = new Uint8Array(new SharedArrayBuffer(size)).fill(++this.#fill)
    const number = this.asked.push(this.asked.length)
    const enter = (): Promise<void> | undefined => {
      this.entered.push(number)
      return this.#take(use, bytes)
    }
    const wait = this.store.room(size, use)
    const done = wait ? wait.then(enter) : enter()
    if (done) this.puts.push(done)
  }

  #take(use: Use, bytes: Uint8Array): Promise<void> | undefined {
    if (use === 'charge') {
      this.store.charge(bytes.length)
      this.charged.push(bytes.length)
      return
    }
    if (use === 'hold') {
      this.objects.push({ ...this.store.hold(bytes), bytes, references: 1, looks: 0 })
      return
    }
    const from = join(root, `from-${++folders}`)
    writeFileSync(from, bytes)
    return this.store.adopt(from, bytes.length).then((id) => {
      this.objects.push({ id, bytes, references: 1, looks: 0, held: Promise.resolve() })
    })
  }

  #release(object: Held): void {
    this.store.release(object.id)
    if (--object.references > 0) return
    this.objects.splice(this.objects.indexOf(object), 1)
    if (object.looks === 0)
      expect(() => this.store.read(object.id)).toThrow(expect.objectContaining({ code: 'SESSION_CLOSED' }))
  }

  #look(object: Held, kind: 'read' | 'file'): void {
    const { id, bytes } = object
    this.store.retain(id)
    object.looks++
    const look = async () => {
      const found = kind === 'read' ? await this.store.read(id) : readFileSync(await this.store.file(id))
      expect(Buffer.compare(found, bytes)).toBe(0)
      this.store.release(id)
      object.looks--
    }
    this.reads.push(look())
  }

  #discharge(): void {
    const bytes = this.charged.shift()
    if (bytes !== undefined) this.store.discharge(bytes)
  }

  /** As after a kill: what is durable is found by its ids, all else is gone. */
  async #restart(): Promise<void> {
    if (this.options.durability === 'none') return
    await this.drain()
    this.store = createObjectStore(this.options)
    const live = this.objects.flatMap(({ id, references }) => Array.from({ length: references }, () => id))
    expect(await this.store.recover(live)).toEqual([])
    expect(this.store.stats()).toMatchObject({ memoryBytes: 0, spilled: this.objects.length })
    for (const bytes of this.charged) this.store.charge(bytes)
  }

  /** Releases and discharges, the oldest first, until nobody waits; then nothing is under way. */
  async drain(): Promise<void> {
    await Promise.all(this.reads)
    for (let waiting = this.store.stats().waiting; waiting > 0; waiting = this.store.stats().waiting) {
      this.#discharge()
      if (this.objects[0]) this.#release(this.objects[0])
      await turn()
    }
    await Promise.all(this.puts)
    await Promise.all(this.objects.map(({ held }) => held))
    await this.quiet()
    expect(this.entered).toEqual([...this.entered].sort((a, b) => a - b))
    expect(this.entered).toHaveLength(this.asked.length)
  }

  /** What the store counts on disk is what is there. */
  async quiet(): Promise<void> {
    await vi.waitFor(
      () => {
        const { memoryBytes, diskBytes } = this.store.stats()
        expect(diskBytes).toBe(sizeOf(this.options.dir))
        expect(memoryBytes).toBeLessThanOrEqual(this.options.memoryBytes)
      },
      { interval: 1, timeout: 5_000 },
    )
  }

  check(): void {
    const { memoryBytes, diskBytes } = this.store.stats()
    // One reading may be above the cap, and what `file` wrote may be above the other, by what memory holds.
    expect(memoryBytes).toBeLessThanOrEqual(this.options.memoryBytes + LARGEST)
    expect(diskBytes).toBeLessThanOrEqual(this.options.diskBytes + this.options.memoryBytes)
    expect(memoryBytes).toBeGreaterThanOrEqual(0)
    expect(diskBytes).toBeGreaterThanOrEqual(0)
    for (const object of this.objects) expect(object.references).toBeGreaterThan(0)
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function sizeOf(dir: string): number {
  try {
    return readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
  } catch {
    return 0
  }
}

test.each(['none', 'journal'] as const)(
  `a store with durability %s gives back what it was given, within its caps and in turn (SEED=${seed} RUNS=${runs.numRuns})`,
  async (durability) => {
    await fc.assert(
      fc.asyncProperty(
        commands,
        fc.integer({ min: LARGEST, max: 4 * LARGEST }),
        fc.integer({ min: LARGEST, max: 8 * LARGEST }),
        async (sequence, memoryBytes, diskBytes) => {
          const dir = join(root, `${++folders}`)
          const world = new World({ dir, durability, memoryBytes, diskBytes })
          for (const command of sequence) {
            await world.run(command)
            world.check()
          }
          await world.drain()
          expect(world.store.stats().objects).toBe(world.objects.length)
          for (const { id, bytes } of world.objects) expect(Buffer.compare(await world.store.read(id), bytes)).toBe(0)
          for (const bytes of world.charged) world.store.discharge(bytes)
          for (const { id, references } of world.objects) for (let i = 0; i < references; i++) world.store.release(id)
          const empty = { objects: 0, memoryBytes: 0, diskBytes: 0, spilled: 0, waiting: 0 }
          await vi.waitFor(() => expect(world.store.stats()).toEqual(empty), { interval: 1, timeout: 5_000 })
          expect(sizeOf(dir)).toBe(0)
          await world.store.close()
          if (durability === 'none') expect(() => readdirSync(dir)).toThrow()
        },
      ),
      runs,
    )
  },
  60_000,
)
