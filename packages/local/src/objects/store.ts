import { FusionizeError } from 'fusionize'
import { newId } from '../ids.js'
import { type ObjectFile, ObjectFiles } from './files.js'
import type { ObjectStore, ObjectStoreOptions, Use } from './index.js'
import { type Demand, Line } from './line.js'
import { type Ranked, Ranking, unrank } from './ranking.js'
import { sharedGarbage } from './shared-memory.js'

/** Files written and objects read back at a time: fewer than the threads that node has for files, which others need too. */
const WRITES = 3
const LOADS = 3
/** Objects that are looked at for one that the disk has room for. */
const CANDIDATES = 16

/** Ranked while it is in memory and may leave it. */
interface StoredObject extends Ranked<StoredObject> {
  id: string
  bytes: number
  references: number
  /** Present while it is in memory. */
  value?: Uint8Array
  /** Present when it is in a file. */
  file?: ObjectFile
  /** It leaves memory when it is written. */
  leaving: boolean
  writing?: Promise<void>
  loading?: Promise<Uint8Array>
}

/** State of a store. Every change ends in `#advance`: objects leave memory, and who waits gets the room. */
export class Objects implements ObjectStore {
  #options: ObjectStoreOptions
  #durable: boolean
  #files: ObjectFiles
  #objects = new Map<string, StoredObject>()
  /** In memory and in a file: can leave memory at once. */
  #written = new Ranking<StoredObject>()
  /** Only in memory. */
  #unwritten = new Ranking<StoredObject>()
  /** Bytes in memory, on disk (those being written included), and of those in memory the ones that leave it. */
  #memory = 0
  #disk = 0
  #leaving = 0
  #spilled = 0
  #promised: Demand = { memory: 0, disk: 0 }
  #promising = false
  #writing = 0
  #loading = 0
  #room: Line
  #writes: Line
  #loads: Line
  /** Work on files that is under way. */
  #busy = new Set<Promise<unknown>>()
  #closed = false
  /** Takes note of a value that is not needed in memory any more. */
  #givenUp: (value: Uint8Array) => void

  constructor(options: ObjectStoreOptions) {
    this.#options = options
    this.#durable = options.durability !== 'none'
    this.#files = new ObjectFiles(options)
    this.#givenUp = sharedGarbage(options.memoryBytes)
    this.#room = new Line(
      (demand) => this.#fits(demand),
      (demand, waited) => {
        if (waited) this.#promise(demand)
      },
    )
    this.#writes = new Line(
      () => this.#writing < WRITES,
      () => this.#writing++,
    )
    this.#loads = new Line(
      ({ memory }) => this.#mayLoad(memory),
      ({ memory }) => {
        this.#loading++
        this.#memory += memory
      },
    )
  }

  room(bytes: number, use: Use = 'hold'): Promise<void> | undefined {
    if (this.#closed) return Promise.reject(closed())
    const refusal = this.#tooLarge(bytes, use)
    if (refusal) return Promise.reject(refusal)
    const demand = this.#demand(bytes, use)
    this.#relieve(demand.memory)
    return this.#room.join(demand)
  }

  charge(bytes: number): void {
    this.#memory += bytes
    this.#relieve()
  }

  discharge(bytes: number): void {
    this.#memory -= bytes
    this.#advance()
  }

  hold(value: Uint8Array): { id: string; held: Promise<void> } {
    if (this.#closed) throw closed()
    const object: StoredObject = {
      id: newId(),
      bytes: value.length,
      references: 1,
      value: compact(value),
      leaving: false,
      usedAt: 0,
    }
    this.#objects.set(object.id, object)
    this.#memory += object.bytes
    this.#rank(object)
    const held = this.#durable ? this.#write(object) : Promise.resolve()
    // Who does not wait for it is no reason to end the process.
    held.catch(() => {})
    this.#relieve()
    return { id: object.id, held }
  }

  async adopt(file: string, bytes: number): Promise<string> {
    if (this.#closed) throw closed()
    const id = newId()
    this.#disk += bytes
    try {
      this.#add(await this.#track(this.#files.adopt(id, file, bytes)), 1)
    } catch (error) {
      this.#disk -= bytes
      this.#advance()
      throw error
    }
    return id
  }

  retain(id: string): void {
    this.#get(id).references++
  }

  release(id: string): void {
    const object = this.#objects.get(id)
    if (!object || this.#closed || --object.references > 0) return
    this.#objects.delete(id)
    unrank(object)
    if (!object.value) this.#spilled--
    if (!object.writing && !object.loading) this.#free(object)
  }

  read(id: string): Uint8Array | Promise<Uint8Array> {
    const object = this.#get(id)
    if (!object.value) {
      object.loading ??= this.#track(this.#load(object))
      return object.loading
    }
    if (!object.leaving) this.#rank(object)
    return object.value
  }

  async file(id: string): Promise<string> {
    const object = this.#get(id)
    if (!object.file) await this.#write(object)
    if (!object.file) throw gone(id)
    await this.#track(this.#files.prove(object.file))
    return object.file.path
  }

  async recover(live: Iterable<string>): Promise<string[]> {
    const references = new Map<string, number>()
    for (const id of live) references.set(id, (references.get(id) ?? 0) + 1)
    const known = (id: string) => this.#objects.has(id)
    const files = await this.#track(this.#files.find((id) => references.has(id), known))
    for (const file of files) {
      this.#disk += file.bytes
      this.#add(file, references.get(file.id) as number)
    }
    return [...references.keys()].filter((id) => !known(id))
  }

  stats() {
    return {
      objects: this.#objects.size,
      memoryBytes: this.#memory,
      diskBytes: this.#disk,
      spilled: this.#spilled,
      waiting: this.#room.size,
    }
  }

  async close(): Promise<void> {
    if (!this.#closed) this.#room.refuse(closed())
    this.#closed = true
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy)
    if (this.#durable) return
    await Promise.all([...this.#objects.values()].map(({ file }) => file && this.#files.remove(file.path)))
    await this.#files.removeFolder()
  }

  #get(id: string): StoredObject {
    const object = this.#objects.get(id)
    if (!object) throw gone(id)
    return object
  }

  /** An object that is only in its file. */
  #add(file: ObjectFile, references: number): void {
    this.#objects.set(file.id, { id: file.id, bytes: file.bytes, references, file, leaving: false, usedAt: 0 })
    this.#spilled++
  }

  #demand(bytes: number, use: Use): Demand {
    if (use === 'charge') return { memory: bytes, disk: 0 }
    if (use === 'adopt') return { memory: 0, disk: bytes }
    return { memory: bytes, disk: this.#durable || bytes > this.#options.memoryBytes ? bytes : 0 }
  }

  #tooLarge(bytes: number, use: Use): FusionizeError | undefined {
    const { memoryBytes, diskBytes } = this.#options
    const option =
      use === 'charge' || (use === 'hold' && !this.#durable && memoryBytes >= diskBytes) ? 'memoryBytes' : 'diskBytes'
    const cap = this.#options[option]
    if (bytes <= cap) return undefined
    return new FusionizeError(
      'PAYLOAD_TOO_LARGE',
      `an object of ${bytes} bytes is larger than this node can hold (${cap} bytes): put it in parts, or raise the option ${option} of the object store`,
      { bytes, cap, option },
    )
  }

  #fits({ memory, disk }: Demand): boolean {
    const { memoryBytes, diskBytes } = this.#options
    const used = this.#memory + this.#promised.memory
    return (
      (memory === 0 || used + memory <= memoryBytes || (memory > memoryBytes && used <= memoryBytes)) &&
      (disk === 0 || this.#disk + this.#promised.disk + disk <= diskBytes)
    )
  }

  /** Who waited goes on only after this call: until then nobody else may have his room. */
  #promise({ memory, disk }: Demand): void {
    this.#promised.memory += memory
    this.#promised.disk += disk
    if (this.#promising) return
    this.#promising = true
    setImmediate(() => {
      this.#promising = false
      this.#promised = { memory: 0, disk: 0 }
      this.#advance()
    })
  }

  /** Readers never wait for room, since room may be waiting for them; but then one at a time, and no more than one while others wait. */
  #mayLoad(bytes: number): boolean {
    if (this.#loading === 0) return true
    return this.#loading < LOADS && this.#room.size === 0 && this.#memory + bytes <= this.#options.memoryBytes
  }

  #advance(): void {
    this.#relieve()
    this.#room.advance()
    this.#loads.advance()
  }

  /** Has objects leave memory until what is there and what waits for it fits. @param coming bytes that will wait in a moment */
  #relieve(coming = 0): void {
    const cap = this.#options.memoryBytes
    const wanted = Math.min(this.#room.memory + this.#loads.memory + coming, cap)
    let over = this.#memory - this.#leaving + wanted - cap
    while (over > 0) {
      const object = this.#leastUsed()
      if (!object) return
      over -= object.bytes
      if (object.file) this.#drop(object)
      else this.#spill(object)
    }
  }

  /** Of the objects that may leave memory. */
  #leastUsed(): StoredObject | undefined {
    const written = this.#written.oldest
    let looked = 0
    for (let object = this.#unwritten.oldest; object && ++looked <= CANDIDATES; object = object.newer) {
      if (written && written.usedAt < object.usedAt) return written
      if (object.writing || this.#disk + object.bytes <= this.#options.diskBytes) return object
    }
    return written
  }

  #spill(object: StoredObject): void {
    unrank(object)
    object.leaving = true
    this.#leaving += object.bytes
    this.#write(object).catch((error) => {
      // Trying again at once would fail again: who has no room now is told, and the next who asks has it tried again.
      this.#room.refuse(error)
    })
  }

  #drop(object: StoredObject): void {
    unrank(object)
    this.#forget(object)
    this.#spilled++
  }

  /** Gives up the bytes in memory. */
  #forget(object: StoredObject): void {
    if (!object.value) return
    this.#givenUp(object.value)
    object.value = undefined
    this.#memory -= object.bytes
  }

  /** Resolves when the object is in its file, or gone. */
  #write(object: StoredObject): Promise<void> {
    object.writing ??= this.#track(this.#writeNow(object))
    return object.writing
  }

  async #writeNow(object: StoredObject): Promise<void> {
    const wanted = () => object.references > 0
    this.#disk += object.bytes
    try {
      await this.#writes.join({ memory: 0, disk: object.bytes })
      if (wanted()) object.file = await this.#files.write(object.id, object.value as Uint8Array, wanted)
    } catch (error) {
      if (wanted()) {
        this.#rankAgain(object)
        throw error
      }
    } finally {
      if (!object.file) this.#disk -= object.bytes
      object.writing = undefined
      this.#writing--
      this.#writes.advance()
      this.#room.advance()
    }
    const { leaving } = object
    this.#rankAgain(object)
    if (!wanted()) this.#free(object)
    else if (leaving) this.#drop(object)
    this.#advance()
  }

  #rankAgain(object: StoredObject): void {
    if (object.leaving) this.#leaving -= object.bytes
    object.leaving = false
    if (object.references > 0) this.#rank(object)
  }

  #rank(object: StoredObject): void {
    if (object.file) this.#written.use(object)
    else if (object.bytes <= this.#options.diskBytes) this.#unwritten.use(object)
  }

  async #load(object: StoredObject): Promise<Uint8Array> {
    this.#relieve(object.bytes)
    await this.#loads.join({ memory: object.bytes, disk: 0 })
    try {
      const value = await this.#files.load(object.file as ObjectFile)
      if (object.references > 0) {
        object.value = value
        this.#spilled--
        this.#rank(object)
      } else this.#givenUp(value)
      return value
    } finally {
      if (!object.value) this.#memory -= object.bytes
      object.loading = undefined
      this.#loading--
      if (object.references === 0) this.#free(object)
      this.#advance()
    }
  }

  /** Gives back what an object without references has. */
  #free(object: StoredObject): void {
    this.#forget(object)
    const { file } = object
    object.file = undefined
    if (file)
      this.#track(this.#files.remove(file.path)).then(() => {
        this.#disk -= object.bytes
        this.#advance()
      })
    this.#advance()
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work)
    const done = () => this.#busy.delete(work)
    work.then(done, done)
    return work
  }
}

/** A small part of a larger buffer would keep more in memory than it counts. */
function compact(value: Uint8Array): Uint8Array {
  const whole = value.buffer.byteLength
  return value.buffer instanceof ArrayBuffer && value.length < whole / 2 ? new Uint8Array(value) : value
}

function gone(id: string): FusionizeError {
  return new FusionizeError(
    'SESSION_CLOSED',
    `object ${id} is gone: the session or window that it belonged to has ended`,
  )
}

function closed(): FusionizeError {
  return new FusionizeError('SHUTTING_DOWN', 'the platform is shutting down: nothing more is taken')
}
