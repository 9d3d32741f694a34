import type { FileSystem } from './files.js'
import { Objects } from './store.js'

export interface ObjectStoreOptions {
  /** Folder of the files of this store alone; made when it is needed. Without durability a folder in memory is best. */
  dir: string
  /** What an object survives: `none` sandboxes, `journal` also the platform's kill, `fsync` also power loss. */
  durability: 'none' | 'journal' | 'fsync'
  /** Cap on the bytes held in memory. */
  memoryBytes: number
  /** Cap on the bytes held in files. */
  diskBytes: number
  /** @default `node:fs/promises` */
  fs?: FileSystem
}

/** What bytes need room for: a small value told of with `charge`, one that `hold` takes, or a file that `adopt` takes over. */
export type Use = 'charge' | 'hold' | 'adopt'

/**
 * The large values of a node's buckets. An object lives as long as it has references. Beyond `memoryBytes` the least recently used go to
 * files and leave memory; when neither memory nor disk has room, those who ask for `room` wait. What nobody asked room for is taken all
 * the same, so that what is under way can always end.
 */
export interface ObjectStore {
  /**
   * Asks before a value is taken. Who waited has the room until the turn of the event loop in which the promise resolved is over; who needs
   * longer may `charge` the bytes meanwhile. One line for all, first come, first served.
   *
   * An object larger than `memoryBytes` that the disk can take passes when nothing else is above the cap, and goes to its file at once.
   * @returns nothing when there is room now
   * @throws {FusionizeError} `PAYLOAD_TOO_LARGE`: there can never be room; `JOURNAL_FAILED`: memory is full and the disk takes nothing;
   * `SHUTTING_DOWN`
   */
  room(bytes: number, use?: Use): Promise<void> | undefined
  /** Counts bytes that are in memory elsewhere: small values in messages and in the state of buckets. */
  charge(bytes: number): void
  /** Takes back what was charged. */
  discharge(bytes: number): void
  /**
   * Takes a value with one reference. Its bytes stay where they are and must not change from now on, nor be moved to a thread; only a small
   * part of a larger `ArrayBuffer` is copied, since it would keep all of it.
   * @returns `held`: resolves when the object is as safe as the durability says; rejects with `JOURNAL_FAILED`: it is in memory alone
   * @throws {FusionizeError} `SHUTTING_DOWN`
   */
  hold(value: Uint8Array): { id: string; held: Promise<void> }
  /**
   * Takes over a file that a sandbox wrote and closed, with one reference: renamed, or copied from another file system.
   * @returns its id, when the object is as safe as the durability says
   * @throws {FusionizeError} `INVALID_INPUT`: it is no file of this size; `JOURNAL_FAILED`: the file stays where it was; `SHUTTING_DOWN`
   */
  adopt(file: string, bytes: number): Promise<string>
  /** @throws {FusionizeError} `SESSION_CLOSED`: the object is gone */
  retain(id: string): void
  /** With the last reference memory and file are freed. Does nothing when the object is gone. */
  release(id: string): void
  /**
   * The bytes, never to be changed: the same memory that was held, or, once that had to go, read back into a new `SharedArrayBuffer`, which
   * then counts as memory and can go again at any time. Keep a reference as long as they are used.
   * @throws {FusionizeError} `SESSION_CLOSED`: the object is gone; `JOURNAL_FAILED`: its file cannot be read or is damaged
   */
  read(id: string): Uint8Array | Promise<Uint8Array>
  /**
   * Path of a file that has exactly the bytes; it is there as long as the object. Never waits for room on disk, since its reader must get on.
   * @throws {FusionizeError} as `read`; `JOURNAL_FAILED` also when it cannot be written
   */
  file(id: string): Promise<string>
  /**
   * Finds what an earlier store left in the folder. Each time an id is in `live` is one reference; files of other ids are deleted.
   * @returns ids in `live` that are not there, or not whole
   */
  recover(live: Iterable<string>): Promise<string[]>
  /** `spilled`: objects only in files. `waiting`: for room. */
  stats(): { objects: number; memoryBytes: number; diskBytes: number; spilled: number; waiting: number }
  /** Waits for what is being written. Files of durable objects stay for the next time; without durability all are deleted. */
  close(): Promise<void>
}

export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  return new Objects(options)
}
