import * as realFs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { FusionizeError } from 'fusionize'

export type FileSystem = Pick<
  typeof realFs,
  'copyFile' | 'lstat' | 'mkdir' | 'open' | 'readdir' | 'rename' | 'rm' | 'rmdir'
>

/** A whole object in a file. */
export interface ObjectFile {
  id: string
  path: string
  bytes: number
  /** CRC-32; undefined when it was not taken: without durability, and for files of sandboxes. */
  sum: number | undefined
  /** What it holds is what was written: known from having written it, or from its sum. */
  proven: boolean
}

/** Bytes that are read or written at a time: the main thread sums them up in less than a millisecond. */
const CHUNK = 2 ** 20

/**
 * A file has the bytes of its object and nothing else, so that sandboxes can read it; size and sum are in its name, which it gets
 * when it is whole: `<id>.<size>.<sum in hex, or nosum>`. Before that it is a draft.
 */
const NAME = /^([0-9a-f]{32})\.(?:draft|(\d+)\.(?:([0-9a-f]{8})|nosum))$/

/** The files of a store's objects. */
export class ObjectFiles {
  #dir: string
  #sum: boolean
  #sync: boolean
  #fs: FileSystem
  #made: Promise<void> | undefined
  #syncing: Promise<void> = Promise.resolve()
  #nextSync: Promise<void> | undefined

  constructor({
    dir,
    durability,
    fs = realFs,
  }: {
    dir: string
    durability: 'none' | 'journal' | 'fsync'
    fs?: FileSystem
  }) {
    this.#dir = dir
    this.#sum = durability !== 'none'
    this.#sync = durability === 'fsync'
    this.#fs = fs
  }

  /**
   * @param wanted asked again and again; when it says no, nothing is left
   * @throws {FusionizeError} `JOURNAL_FAILED`: nothing is left
   */
  async write(id: string, value: Uint8Array, wanted: () => boolean): Promise<ObjectFile | undefined> {
    const draft = this.#draft(id)
    let path = draft
    try {
      await this.#make()
      const sum = await this.#fill(draft, value, wanted)
      if (!wanted()) {
        await this.remove(draft)
        return undefined
      }
      const file = this.#named(id, value.length, sum)
      path = file.path
      await this.#settle(draft, path)
      return file
    } catch (error) {
      await this.remove(draft, path)
      this.#made = undefined
      throw this.#refusal(error)
    }
  }

  /** @throws {FusionizeError} `INVALID_INPUT`, `JOURNAL_FAILED`: the file stays where it was */
  async adopt(id: string, from: string, bytes: number): Promise<ObjectFile> {
    const stat = await this.#fs.lstat(from).catch(() => undefined)
    if (!stat?.isFile() || stat.size !== bytes)
      throw new FusionizeError(
        'INVALID_INPUT',
        `${from} is no file of ${bytes} bytes${stat?.isFile() ? ` but of ${stat.size}` : ''}: write it to its end and close it before it is handed over`,
      )
    const draft = this.#draft(id)
    const file = this.#named(id, bytes, undefined)
    let copied = false
    try {
      await this.#make()
      try {
        if (this.#sync) await this.#syncPath(from)
        await this.#fs.rename(from, draft)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
        copied = true
        await this.#fs.copyFile(from, draft)
        if (this.#sync) await this.#syncPath(draft)
      }
      await this.#settle(draft, file.path)
    } catch (error) {
      if (copied) await this.remove(draft, file.path)
      else for (const path of [draft, file.path]) await this.#fs.rename(path, from).catch(() => {})
      this.#made = undefined
      throw this.#refusal(error)
    }
    if (copied) await this.remove(from)
    return file
  }

  /** Reads a file into shared memory. @throws {FusionizeError} `JOURNAL_FAILED`: it cannot be read, or is damaged */
  async load(file: ObjectFile): Promise<Uint8Array> {
    try {
      const value = new Uint8Array(new SharedArrayBuffer(file.bytes))
      await this.#scan(file, (at) => value.subarray(at, at + CHUNK))
      return value
    } catch (error) {
      throw unreadable(file, error)
    }
  }

  /** Makes sure that a file found after a restart is sound. @throws {FusionizeError} as `load` */
  async prove(file: ObjectFile): Promise<void> {
    if (file.proven) return
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, file.bytes))
    try {
      await this.#scan(file, (at) => chunk.subarray(0, Math.min(CHUNK, file.bytes - at)))
    } catch (error) {
      throw unreadable(file, error)
    }
  }

  async remove(...paths: string[]): Promise<void> {
    // A file that cannot be deleted is deleted after the next start.
    for (const path of paths) await this.#fs.rm(path, { force: true }).catch(() => {})
  }

  /**
   * Whole files whose id is wanted; all other files of objects are deleted.
   * @param spare ids whose files are none of this call's business
   */
  async find(wanted: (id: string) => boolean, spare: (id: string) => boolean): Promise<ObjectFile[]> {
    const found: ObjectFile[] = []
    const names = await this.#fs.readdir(this.#dir).catch((error) => {
      if (error.code === 'ENOENT') return []
      throw this.#refusal(error)
    })
    for (const name of names) {
      const [, id, size, sum] = NAME.exec(name) ?? []
      if (id === undefined || spare(id)) continue
      const path = join(this.#dir, name)
      const bytes = Number(size)
      const whole = size !== undefined && wanted(id) && (await this.#fs.lstat(path)).size === bytes
      if (whole)
        found.push({ id, path, bytes, sum: sum === undefined ? undefined : Number.parseInt(sum, 16), proven: false })
      else await this.remove(path)
    }
    return found
  }

  /** Deletes the folder when it is empty. */
  async removeFolder(): Promise<void> {
    await this.#fs.rmdir(this.#dir).catch(() => {})
  }

  async #make(): Promise<void> {
    this.#made ??= this.#fs.mkdir(this.#dir, { recursive: true }).then(async () => {
      if (this.#sync) await this.#syncPath(dirname(this.#dir))
    })
    await this.#made.catch((error) => {
      this.#made = undefined
      throw error
    })
  }

  /** @returns the sum, where one is kept */
  async #fill(path: string, value: Uint8Array, wanted: () => boolean): Promise<number | undefined> {
    const handle = await this.#fs.open(path, 'w')
    let sum = 0
    try {
      for (let at = 0; at < value.length && wanted(); ) {
        const chunk = value.subarray(at, at + CHUNK)
        const { bytesWritten } = await handle.write(chunk, 0, chunk.length, at)
        if (this.#sum) sum = crc32(chunk.subarray(0, bytesWritten), sum)
        at += bytesWritten
      }
      if (this.#sync && wanted()) await handle.sync()
    } finally {
      await handle.close()
    }
    return this.#sum ? sum : undefined
  }

  /** Gives a whole draft its name. */
  async #settle(draft: string, path: string): Promise<void> {
    await this.#fs.rename(draft, path)
    if (this.#sync) await this.#syncFolder()
  }

  /** All who ask while one sync runs share the next one: only that is sure to have their names. */
  #syncFolder(): Promise<void> {
    this.#nextSync ??= this.#syncing
      .catch(() => {})
      .then(() => {
        this.#nextSync = undefined
        this.#syncing = this.#syncPath(this.#dir)
        return this.#syncing
      })
    return this.#nextSync
  }

  async #syncPath(path: string): Promise<void> {
    const handle = await this.#fs.open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** @param part where the bytes from an offset go */
  async #scan(file: ObjectFile, part: (at: number) => Uint8Array): Promise<void> {
    const handle = await this.#fs.open(file.path, 'r')
    let sum = 0
    try {
      for (let at = 0; at < file.bytes; ) {
        const room = part(at)
        const { bytesRead } = await handle.read(room, 0, room.length, at)
        if (bytesRead === 0) throw new Error(`it ends after ${at} of ${file.bytes} bytes`)
        if (!file.proven) sum = crc32(room.subarray(0, bytesRead), sum)
        at += bytesRead
      }
    } finally {
      await handle.close()
    }
    if (!file.proven && file.sum !== undefined && file.sum !== sum)
      throw new Error('its checksum is not that of its name')
    file.proven = true
  }

  #draft(id: string): string {
    return join(this.#dir, `${id}.draft`)
  }

  #named(id: string, bytes: number, sum: number | undefined): ObjectFile {
    const end = sum === undefined ? 'nosum' : sum.toString(16).padStart(8, '0')
    return { id, path: join(this.#dir, `${id}.${bytes}.${end}`), bytes, sum, proven: true }
  }

  #refusal(error: unknown): FusionizeError {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
    return new FusionizeError(
      'JOURNAL_FAILED',
      `the folder of objects ${this.#dir} cannot be written (${(error as Error).message}), so this is not accepted: ${
        full ? 'free space there, or lower diskBytes to what it has' : 'mend it'
      }, then try again`,
      undefined,
      { cause: error },
    )
  }
}

function unreadable(file: ObjectFile, error: unknown): FusionizeError {
  return new FusionizeError(
    'JOURNAL_FAILED',
    `object ${file.id} cannot be read from ${file.path} (${(error as Error).message}): mend the disk, or run again what put it`,
    undefined,
    { cause: error },
  )
}
