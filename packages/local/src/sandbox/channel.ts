import type { Socket } from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import { FrameReader, writeFrame } from './frames.js'
import { type Head, type Part, Utf8 } from './messages.js'
import type { LinkRings } from './ring-port.js'

/** One end of the line between a sandbox and its engine. Messages arrive in the order in which they were posted. */
export interface Channel {
  /** @param owned bytes in `parts` are nobody else's: a thread's port moves them instead of copying */
  post(head: Head, parts?: readonly Part[], owned?: boolean): void
  /** As `post`, but may wait for what else this tick says: one write, one wake-up of the receiver. */
  postSoon(head: Head, parts?: readonly Part[]): void
  /** As `post`, but may wait until all that is ready now has run: for what nobody waits for. */
  postLater(head: Head, parts?: readonly Part[]): void
  /** Sends what waits, now. */
  hurry(): void
  /** Calls back when everything posted is on its way. */
  flush(then: () => void): void
}

/** @param port a port that came with the message (threads) */
export type Receive = (head: Head, parts: Part[], port?: MessagePort) => void

/**
 * Over a socket.
 * @param keepText leave text parts in UTF-8 (for who only passes them on)
 */
export function socketChannel(socket: Socket, keepText: boolean, receive: Receive): Channel {
  const reader = new FrameReader(keepText, receive)
  socket.on('data', (chunk: Buffer) => reader.push(chunk))
  const out = new Outgoing<Uint8Array>((buffers) => write(socket, buffers))
  const add = (head: Head, parts: readonly Part[]) => {
    if (socket.writable) writeFrame(out.pending, head, parts)
  }
  return {
    post(head, parts = []) {
      add(head, parts)
      out.flushFirst()
    },
    postSoon(head, parts = []) {
      add(head, parts)
      out.flushSoon()
    },
    postLater(head, parts = []) {
      add(head, parts)
      out.flushLater()
    },
    hurry: out.flush,
    flush(then) {
      out.flush()
      socket.end(then)
    },
  }
}

/** What waits to be written together. */
class Outgoing<T> {
  pending: T[] = []
  /** It is written when this tick is over. */
  soon = false
  #later: NodeJS.Immediate | undefined

  constructor(readonly write: (items: T[]) => void) {}

  flush = (): void => {
    this.soon = false
    clearImmediate(this.#later)
    this.#later = undefined
    const { pending } = this
    if (pending.length === 0) return
    this.pending = []
    this.write(pending)
  }

  /** The first of a tick goes at once, so that its receiver starts while the sender goes on; the rest goes together. */
  flushFirst(): void {
    if (!this.soon) this.flush()
    this.flushSoon()
  }

  flushSoon(): void {
    if (this.soon) return
    this.soon = true
    process.nextTick(this.flush)
  }

  /** When this turn of the event loop is over: a write costs as much as all else in a call over a link. */
  flushLater(): void {
    if (!this.soon) this.#later ??= setImmediate(this.flush)
  }
}

function write(socket: Socket, buffers: Uint8Array[]): void {
  if (buffers.length === 1) {
    socket.write(buffers[0] as Uint8Array)
    return
  }
  socket.cork()
  for (const buffer of buffers) socket.write(buffer)
  socket.uncork()
}

/** A head with its parts, as a thread's port carries it. */
export type PortItem = [Head, ...(string | Uint8Array | undefined)[]]
/** The messages of one tick, or a head with a port. */
type PortMessage = PortItem[] | { head: Head; port: MessagePort }

/** Over a message port: strings travel as they are. */
export function portChannel(
  port: Pick<MessagePort, 'postMessage'> & { on(event: 'message', listener: (message: PortMessage) => void): unknown },
  receive: Receive,
): Channel {
  port.on('message', (message) => {
    if (Array.isArray(message)) for (const [head, ...parts] of message) receive(head, parts)
    else receive(message.head, [], message.port)
  })
  const out = new Outgoing<PortItem>((batch) => port.postMessage(batch))
  const message = (head: Head, parts: readonly Part[] = []): PortItem => {
    const item: PortItem = [head]
    for (const part of parts) item.push(part instanceof Utf8 ? Buffer.from(part.bytes).toString() : part)
    return item
  }
  return {
    post(head, parts, owned = false) {
      const one = message(head, parts)
      const moved = owned ? buffersOf(one) : []
      if (moved.length > 0) {
        out.flush()
        port.postMessage([one], moved)
        return
      }
      out.pending.push(one)
      out.flushFirst()
    },
    postSoon(head, parts) {
      out.pending.push(message(head, parts))
      out.flushSoon()
    },
    postLater(head, parts) {
      out.pending.push(message(head, parts))
      out.flushLater()
    },
    hurry: out.flush,
    flush(then) {
      out.flush()
      then()
    },
  }
}

function buffersOf(parts: readonly unknown[]): ArrayBuffer[] {
  const found: ArrayBuffer[] = []
  for (const part of parts)
    if (
      part instanceof Uint8Array &&
      part.buffer instanceof ArrayBuffer &&
      part.constructor === Uint8Array &&
      part.byteLength === part.buffer.byteLength
    )
      found.push(part.buffer as ArrayBuffer)
  return found
}

/** Hands a port to the thread at the other end. @param rings memory beside it, where both spin */
export function postPort(
  to: Pick<MessagePort, 'postMessage'>,
  head: Head,
  port: MessagePort,
  rings: LinkRings | undefined,
): void {
  to.postMessage({ head, port, rings }, [port])
}
