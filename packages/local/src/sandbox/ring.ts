import type { FlatMessage } from './flat-message.js'

/** Words of a ring's data; a power of two. */
const WORDS = 8192
/** Characters of an entry at most: of the longest four fit. */
const MAX_CHARS = 2048
/** Words at the start of an entry: bytes of its text, number of its words, which follow and precede the text, and `before`. */
const ENTRY = 3
/** In the place of an entry's bytes: the next one is at the start of the data. */
const SKIP = -1
/** Words of a cache line. What one side writes and the other reads has a line of its own. */
const LINE = 16
const WRITTEN = 0
/** On the line that the reader looks at in any case. */
const POSTED = 1
const READ = LINE
const READER_POLLS = 2 * LINE
const DATA = 3 * LINE

/** Bytes of the shared memory of a ring. */
export const RING_BYTES = (DATA + WORDS) * 4

/** Not text in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * One end of a ring in shared memory: messages from one thread to one other, in order, without a system call. The writer owns what is not
 * published, the reader what is published and not read; one store hands over (Lamport, "Proving the Correctness of Multiprocess
 * Programs", 1977, §3).
 */
class Ring {
  protected readonly words: Int32Array
  protected readonly bytes: Buffer
  /** Words that have been written, or read, with those that were skipped; it wraps around. */
  protected at = 0

  /** @param memory `RING_BYTES`, zeros at first */
  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory)
    this.bytes = Buffer.from(memory)
  }

  /** How far this end has come. */
  get position(): number {
    return this.at
  }
}

export class RingWriter extends Ring {
  /** Where the reader was when that was last looked up. */
  #read = 0

  /**
   * Whether the reader looks into the ring by itself. Whoever has written asks afterwards, and wakes it otherwise: the reader looks once
   * more after it has said that it no longer does, so one of the two sees the other.
   */
  get isPolled(): boolean {
    return Atomics.load(this.words, READER_POLLS) === 1
  }

  /** Tells the reader how many messages have gone another way. */
  posted(count: number): void {
    Atomics.store(this.words, POSTED, count)
  }

  /**
   * @param before a number for the reader
   * @returns false when there is no room now, or never will be
   */
  write({ text, words: list, length }: FlatMessage, before: number): boolean {
    if (text.length > MAX_CHARS) return false
    const needed = ENTRY + length + Math.ceil((text.length * 3) / 4)
    const start = this.at & (WORDS - 1)
    const skipped = WORDS - start < needed ? WORDS - start : 0
    if (!this.#hasRoom(skipped + needed)) return false
    const entry = DATA + (skipped > 0 ? 0 : start)
    const bytes = this.bytes.write(text, (entry + ENTRY + length) * 4, 'utf8')
    if (bytes !== text.length && LONE_SURROGATE.test(text)) return false
    const { words } = this
    if (skipped > 0) words[DATA + start] = SKIP
    words[entry] = bytes
    words[entry + 1] = length
    words[entry + 2] = before
    for (let i = 0; i < length; i++) words[entry + ENTRY + i] = list[i] as number
    this.at = (this.at + skipped + sizeOf(bytes, length)) | 0
    Atomics.store(words, WRITTEN, this.at)
    return true
  }

  #hasRoom(words: number): boolean {
    const fits = () => ((this.at + words - this.#read) | 0) <= WORDS
    if (fits()) return true
    this.#read = Atomics.load(this.words, READ)
    return fits()
  }
}

export class RingReader extends Ring {
  /** Where the writer was when that was last looked up. */
  #written = 0

  /** From now on, whether this end looks into the ring by itself. */
  set polls(polls: boolean) {
    Atomics.store(this.words, READER_POLLS, polls ? 1 : 0)
  }

  /** How many messages have gone another way. */
  get posted(): number {
    return Atomics.load(this.words, POSTED)
  }

  /** Whether there is an entry. */
  has(): boolean {
    if (this.at === this.#written) this.#written = Atomics.load(this.words, WRITTEN)
    return this.at !== this.#written
  }

  /** The number beside the entry that is there. */
  get before(): number {
    return this.words[this.#entry() + 2] as number
  }

  /** Takes the entry that is there out. */
  take(into: FlatMessage): void {
    const { words } = this
    const entry = this.#entry()
    const bytes = words[entry] as number
    const length = words[entry + 1] as number
    for (let i = 0; i < length; i++) into.words[i] = words[entry + ENTRY + i] as number
    const from = (entry + ENTRY + length) * 4
    into.length = length
    into.text = this.bytes.toString('utf8', from, from + bytes)
    const start = this.at & (WORDS - 1)
    const skipped = entry === DATA && start > 0 ? WORDS - start : 0
    this.at = (this.at + skipped + sizeOf(bytes, length)) | 0
    Atomics.store(words, READ, this.at)
  }

  #entry(): number {
    const entry = DATA + (this.at & (WORDS - 1))
    return this.words[entry] === SKIP ? DATA : entry
  }
}

/** Words of an entry. */
function sizeOf(bytes: number, length: number): number {
  return ENTRY + length + ((bytes + 3) >> 2)
}
