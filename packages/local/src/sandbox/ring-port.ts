import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { PortItem } from './channel.js'
import { FlatMessage } from './flat-message.js'
import { RingReader, RingWriter } from './ring.js'

/** The memory of a link between two threads that spin: a ring for each direction, as one end has them. */
export interface LinkRings {
  out: SharedArrayBuffer
  into: SharedArrayBuffer
}

/** What the port of such a link carries: how far the ring had come before, and the message, if it is more than a wake-up. */
type Posted = [after: number, message?: PortItem[]]

const flat = new FlatMessage()

/**
 * A message port beside which small messages go through shared memory while the receiver spins. All arrive in the order in which they
 * were posted: each entry of the ring says how many messages were posted to the port before it, and each of those how far the ring was.
 */
export class RingPort {
  readonly #out: RingWriter
  readonly #into: RingReader
  /** To the port. */
  #posted = 0
  /** Came from the port, */
  #received = 0
  /** and went on. */
  #delivered = 0
  #arrived: Posted[] = []
  #listener: (message: PortItem[]) => void = () => {}
  #open = true

  /** @param stir called when something came by itself, without `poll` */
  constructor(
    readonly port: MessagePort,
    rings: LinkRings,
    stir: () => void,
  ) {
    this.#out = new RingWriter(rings.out)
    this.#into = new RingReader(rings.into)
    port.on('message', (posted: Posted) => {
      this.#arrive(posted)
      this.#deliverAll()
      stir()
    })
    // What the other end had written when it died or left.
    port.on('close', () => this.#deliverAll())
  }

  on(_event: 'message', listener: (message: PortItem[]) => void): void {
    this.#listener = listener
  }

  postMessage(message: PortItem[], transfer?: readonly ArrayBuffer[]): void {
    const out = this.#out
    if (transfer === undefined && out.isPolled) {
      if (flat.encode(message) && out.write(flat, this.#posted)) {
        if (!out.isPolled) this.#post([out.position])
        return
      }
    }
    this.#post([out.position, message], transfer)
  }

  #post(posted: Posted, transfer?: readonly ArrayBuffer[]): void {
    this.port.postMessage(posted, transfer)
    this.#posted = (this.#posted + 1) | 0
    this.#out.posted(this.#posted)
  }

  /** Delivers one message if there is any, and says whether. */
  poll(): boolean {
    if (this.#deliver()) return true
    // To look into the port takes its lock, for which a sender would wait.
    if (this.#into.posted === this.#received) return false
    const found = receiveMessageOnPort(this.port)
    if (found === undefined) return false
    this.#arrive(found.message)
    return this.#deliver()
  }

  /** @param polls whether `poll` is called from now on. @returns whether something came in between */
  setPolled(polls: boolean): boolean {
    this.#into.polls = polls
    return !polls && this.#deliverAll()
  }

  close(): void {
    this.#open = false
    this.port.close()
  }

  #arrive(posted: Posted): void {
    this.#received = (this.#received + 1) | 0
    this.#arrived.push(posted)
  }

  #deliverAll(): boolean {
    let any = false
    while (this.#deliver()) any = true
    return any
  }

  #deliver(): boolean {
    if (!this.#open) return false
    const into = this.#into
    if (into.has() && into.before === this.#delivered) {
      into.take(flat)
      this.#listener(flat.decode() as PortItem[])
      return true
    }
    const [first] = this.#arrived
    if (first === undefined || first[0] !== into.position) return false
    this.#arrived.shift()
    this.#delivered = (this.#delivered + 1) | 0
    if (first[1]) this.#listener(first[1])
    return true
  }
}
