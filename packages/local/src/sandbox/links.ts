import type { Socket } from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import type { Outbound, Payload } from 'fusionize/runtime'
import { type Channel, portChannel, type Receive, socketChannel } from './channel.js'
import { type Head, kind } from './messages.js'

/*
 * A link carries the calls of one sandbox to one sandbox of another function, past the engine: half the wake-ups of a call. The engine
 * lends it, so the callee serves nobody else meanwhile; the callee tells the engine what it begins and ends. The engine
 * takes it back through the callee. What had been sent but not begun by then goes by the engine after all.
 */

interface Link {
  readonly sandbox: string
  /** Limit of the callee's task, ms. */
  readonly timeoutMs: number
  channel: Channel | undefined
  busy: boolean
  call: { no: number; request: Outbound } | undefined
}

export interface CallerPorts {
  result(no: number, ok: boolean, output: Payload): void
  /** The link closed before the call was answered. */
  lost(no: number, request: Outbound, sandbox: string): void
}

/** The caller's ends. */
export function callerLinks(own: string, ports: CallerPorts) {
  const links = new Map<string, Link>()
  return {
    /** The engine lends a link; see `kind.lend`. */
    lend([, fn, sandbox, timeoutMs, path]: Head, port: MessagePort | undefined): void {
      const link: Link = {
        sandbox: sandbox as string,
        timeoutMs: timeoutMs as number,
        channel: undefined,
        busy: false,
        call: undefined,
      }
      const receive: Receive = (head, parts) => {
        if (head[0] === kind.idle) link.busy = false
        else if (link.call) {
          const { no } = link.call
          link.call = undefined
          ports.result(no, head[2] as boolean, parts[0] as Payload)
        }
      }
      const closed = () => {
        if (links.get(fn as string) === link) links.delete(fn as string)
        const { call } = link
        link.call = undefined
        link.busy = true
        if (call) ports.lost(call.no, call.request, link.sandbox)
      }
      link.channel = open(port, path as string, receive, closed)
      links.set(fn as string, link)
    },
    /** Sends the call over a link if one is free. @returns the callee's sandbox */
    call(no: number, request: Outbound): string | undefined {
      const link = links.get(request.function ?? request.task)
      if (link?.channel === undefined || link.busy) return undefined
      link.busy = true
      link.call = { no, request }
      const { id, session, task, trace, parent } = request
      const deadline = Math.min(request.deadline, Date.now() + link.timeoutMs)
      const job = `${own}:${no}`
      link.channel.post(
        [kind.invoke, job, id, session, task, 'call', false, 1, deadline, trace, parent, null, null],
        [request.input],
      )
      return link.sandbox
    },
  }
}

function open(port: MessagePort | undefined, path: string, receive: Receive, closed: () => void): Channel {
  if (port) {
    port.on('close', closed)
    return portChannel(port, receive)
  }
  const socket = process.getBuiltinModule('node:net').connect(path)
  socket.on('error', () => {}).on('close', closed)
  return socketChannel(socket, false, receive)
}

/** The callee's end: one link at a time. */
export interface CalleeLink {
  channel: Channel
  /** After a call; closes the link if the engine wants it back. */
  idle(): void
}

export function calleeLinks(invoke: (head: Head, input: Payload, link: CalleeLink) => void, post: Channel['post']) {
  let current: { running: boolean; revoked: boolean; close(): void } | undefined

  function attach(make: (receive: Receive) => Channel, close: () => void): void {
    const state = { running: false, revoked: false, close }
    const channel = make((head, parts) => {
      // What is not begun when the link is taken back goes by the engine.
      if (state.revoked) return
      const [, job, id, session, task, , , , deadline, trace, parent] = head
      post([kind.began, job, id, session, task, deadline, trace, parent])
      state.running = true
      invoke(head, parts[0] as Payload, link)
    })
    const link: CalleeLink = {
      channel,
      idle() {
        state.running = false
        if (state.revoked) channel.flush(state.close)
        else channel.postSoon([kind.idle])
      },
    }
    current = state
  }

  return {
    listen(path: string): void {
      const server = process.getBuiltinModule('node:net').createServer((socket: Socket) => {
        socket.on('error', () => {})
        attach(
          (receive) => socketChannel(socket, false, receive),
          () => socket.destroy(),
        )
      })
      server.on('error', () => {})
      server.listen(path, () => post([kind.listening]))
    },
    attach(port: MessagePort): void {
      attach(
        (receive) => portChannel(port, receive),
        () => port.close(),
      )
    },
    revoke(): void {
      if (current) {
        current.revoked = true
        if (!current.running) current.close()
      }
      current = undefined
      post([kind.revoked])
    },
  }
}
