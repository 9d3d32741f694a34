import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FusionizeError } from 'fusionize'
import { decodeEntries, encodeEntry, oneWrite } from './entry.js'
import type { SendEvent } from './events.js'
import { lockFolder } from './lock.js'

const datasync = promisify(fdatasync)
/** A segment larger than this, in bytes, is rewritten when it is mostly history. */
export const COMPACT_BYTES = 8 * 2 ** 20
const NAME = /^sends-(\d{8})\.log$/

/** Where the events of sends are kept. */
export interface Journal {
  /**
   * Resolves when the events are as safe as the durability says; rejects when they could not be written: then none of them counts.
   * @param written called at that moment, before anything else is done with the journal
   */
  append(events: readonly SendEvent[], written?: () => void): Promise<void>
  close(): Promise<void>
}

/** Keeps nothing: accepted sends live as long as the platform. */
export const noJournal: Journal = { append: async (_events, written) => written?.(), close: async () => {} }

/** What a journal's events add up to. */
export interface JournalState {
  apply(event: SendEvent): void
  /** Events that make a state equal to this one, the first of them `snapshot`. */
  snapshot(): Iterable<SendEvent>
}

/** Two states in one journal. */
export function both(first: JournalState, second: Pick<JournalState, 'apply' | 'snapshot'>): JournalState {
  return {
    apply(event) {
      first.apply(event)
      second.apply(event)
    },
    *snapshot() {
      yield* first.snapshot()
      yield* second.snapshot()
    },
  }
}

interface Waiting {
  entries: Buffer[]
  written(): void
  failed(error: unknown): void
}

/**
 * Opens the journal of a folder and replays it into `table`. All appends of one turn of the event loop are one write, which counts as a
 * whole or not at all, and with `fsync` all that wait share one sync.
 * @param sync `true`: an append resolves when the disk has it (survives power loss); else when the kernel has it (survives `kill -9`)
 * @throws {FusionizeError} `INVALID_CONFIG`: another platform uses the folder
 */
export function openJournal(dir: string, table: JournalState, sync: boolean, compactBytes = COMPACT_BYTES): Journal {
  mkdirSync(dir, { recursive: true })
  const unlock = lockFolder(dir)
  let { number, bytes } = recover(dir, table)
  let fd = openSync(fileOf(dir, number), 'a')
  if (sync) syncFolder(dir)
  let compactAt = compactBytes
  /** Why the journal takes nothing more: after a failed sync nobody knows what the disk has, so a later one proves nothing. */
  let broken: FusionizeError | undefined
  let queue: Waiting[] = []
  let busy: Promise<void> | undefined

  /** Writes what waits; with `sync` what comes meanwhile waits for the next turn. */
  async function flush(): Promise<void> {
    while (queue.length > 0) {
      const turn = queue
      queue = []
      try {
        if (broken) throw broken
        write(oneWrite(turn.flatMap(({ entries }) => entries)))
        if (sync) await settledOnDisk()
      } catch (error) {
        for (const waiting of turn) waiting.failed(error)
        continue
      }
      for (const waiting of turn) waiting.written()
      if (bytes > compactAt) compact()
    }
    busy = undefined
  }

  function write(data: Buffer): void {
    try {
      for (let done = 0; done < data.length; ) done += writeSync(fd, data, done)
    } catch (error) {
      takeBack()
      throw refusal(dir, error, 'free space or mend the disk, then try again')
    }
    bytes += data.length
  }

  /** Removes what a failed write left: it was refused, so no restart may find it, and what follows must not stand behind half an entry. */
  function takeBack(): void {
    try {
      ftruncateSync(fd, bytes)
    } catch (error) {
      broken = refusal(dir, error, 'mend the disk, then restart')
    }
  }

  async function settledOnDisk(): Promise<void> {
    try {
      await datasync(fd)
    } catch (error) {
      broken = refusal(dir, error, 'mend the disk, then restart')
      throw broken
    }
  }

  /**
   * Writes what is still open into a new segment, if that is much less; the old one goes when the new one is safe. When that
   * fails the old one serves on; either way the next try waits until the journal has doubled.
   */
  function compact(): void {
    compactAt = 2 * bytes
    const data = Buffer.concat([...table.snapshot()].map(encodeEntry))
    if (data.length > bytes / 2) return
    const next = fileOf(dir, number + 1)
    try {
      const draft = openSync(`${next}.tmp`, 'w')
      try {
        for (let done = 0; done < data.length; ) done += writeSync(draft, data, done)
        fsyncSync(draft)
      } finally {
        closeSync(draft)
      }
      renameSync(`${next}.tmp`, next)
      if (sync) syncFolder(dir)
    } catch {
      rmSync(`${next}.tmp`, { force: true, recursive: true })
      return
    }
    closeSync(fd)
    rmSync(fileOf(dir, number))
    number++
    bytes = data.length
    compactAt = Math.max(compactBytes, 2 * bytes)
    fd = openSync(next, 'a')
  }

  return {
    append: (events, written) =>
      new Promise((resolve, failed) => {
        const entries = events.map(encodeEntry)
        queue.push({
          entries,
          failed,
          written() {
            written?.()
            resolve()
          },
        })
        busy ??= Promise.resolve().then(flush)
      }),
    async close() {
      await busy
      closeSync(fd)
      unlock()
    },
  }
}

function refusal(dir: string, error: unknown, remedy: string): FusionizeError {
  return new FusionizeError(
    'JOURNAL_FAILED',
    `the journal in ${dir} cannot be written (${(error as Error).message}), so this is not accepted: ${remedy}`,
    undefined,
    { cause: error },
  )
}

/** Makes names in a folder survive power loss. */
function syncFolder(dir: string): void {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Replays all segments in order and cuts what was half written. */
function recover(dir: string, table: JournalState): { number: number; bytes: number } {
  const numbers = readdirSync(dir)
    .map((name) => NAME.exec(name)?.[1])
    .filter((found) => found !== undefined)
    .map(Number)
    .sort((a, b) => a - b)
  let bytes = 0
  for (const number of numbers) {
    const file = fileOf(dir, number)
    const data = readFileSync(file)
    const { events, sound } = decodeEntries(data)
    for (const event of events) table.apply(event)
    if (sound < data.length) truncateSync(file, sound)
    bytes = sound
  }
  // A newer segment begins with a snapshot, so the older ones have nothing to add.
  for (const number of numbers.slice(0, -1)) rmSync(fileOf(dir, number))
  return { number: numbers.at(-1) ?? 1, bytes }
}

function fileOf(dir: string, number: number): string {
  return join(dir, `sends-${String(number).padStart(8, '0')}.log`)
}
