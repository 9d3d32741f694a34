import type { Socket } from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import type { Outbound, Payload } from 'fusionize/runtime'
import { type Channel, portChannel, type Receive, socketChannel } from './channel.js'
import * as kind from './kinds.js'
import type { Head, Part } from './messages.js'

/*
 * A link carries the calls of one sandbox to one sandbox of another function, past the engine: half the wake-ups of a call. The engine
 * lends it, so the callee serves nobody else meanwhile. The callee tells the engine what it begins and ends, after the answer where it
 * can; while its code blocks its thread it tells nothing, so the caller tells of a call that takes long. The engine takes the link back
 * through the callee, which then begins nothing more, and tells the caller. A call that has no answer by then the caller gives to the
 * engine, which knows whether it began; when the callee died, the call fails as one that did.
 */

/** Ms between two looks at what is under way: a call is told at its second. */
const LOOK_MS = 100

interface Link {
  readonly sandbox: string
  /** Limit of the callee's task, ms. */
  readonly timeoutMs: number
  channel: Channel | undefined
  busy: boolean
  call: { no: number; request: Outbound; deadline: number; looks: number } | undefined
  /** Id of the send that runs there. */
  send: string | undefined
}

export interface CallerPorts {
  result(no: number, ok: boolean, output: Payload): void
  /** The link was taken back before the call was answered. */
  lost(no: number, request: Outbound, sandbox: string): void
  /** The link was taken back before the send was over. */
  unsent(sandbox: string, id: string): void
  /** The call has not been answered for a while. */
  overdue(sandbox: string, no: number, request: Outbound, deadline: number): void
}

/** The caller's ends of its links, one for each function at most. */
export function callerLinks(own: string, ports: CallerPorts) {
  const links = new Map<string, Link>()
  let looking = false
  const look = () => {
    looking = false
    for (const { call, sandbox } of links.values()) {
      if (call === undefined || call.looks === 2) continue
      if (++call.looks === 2) ports.overdue(sandbox, call.no, call.request, call.deadline)
      else lookSoon()
    }
  }
  const lookSoon = () => {
    if (looking) return
    looking = true
    setTimeout(look, LOOK_MS)
  }
  return {
    lend([, fn, sandbox, timeoutMs, path, token]: Head, port: MessagePort | undefined): void {
      const link: Link = {
        sandbox: sandbox as string,
        timeoutMs: timeoutMs as number,
        channel: undefined,
        busy: false,
        call: undefined,
        send: undefined,
      }
      const receive: Receive = (head, parts) => {
        if (head[0] === kind.idle || head[3]) {
          link.busy = false
          link.send = undefined
        }
        if (head[0] === kind.result && link.call) {
          const { no } = link.call
          link.call = undefined
          ports.result(no, head[2] as boolean, parts[0] as Payload)
        }
      }
      link.channel = port ? portChannel(port, receive) : connect(path as string, token as number, receive)
      links.set(fn as string, link)
    },
    unlent([, fn, sandbox]: Head): void {
      const link = links.get(fn as string)
      if (link === undefined || link.sandbox !== sandbox) return
      links.delete(fn as string)
      if (link.call) ports.lost(link.call.no, link.call.request, link.sandbox)
      if (link.send !== undefined) ports.unsent(link.sandbox, link.send)
    },
    /** Has a send begin over a link if one is free: what a trigger starts is as urgent as a call. @returns the callee's sandbox */
    fire(
      { id, session, task, function: fn, trace, parent, input }: Outbound,
      { refs, parts }: { refs: string[]; parts: Uint8Array[] },
    ): string | undefined {
      const link = links.get(fn ?? task)
      if (link?.channel === undefined || link.busy) return undefined
      link.busy = true
      link.send = id
      const deadline = Date.now() + link.timeoutMs
      const head: Head = [
        kind.invoke,
        `${own}:${id}`,
        id,
        session,
        task,
        'send',
        false,
        1,
        deadline,
        trace,
        parent,
        null,
        null,
      ]
      if (refs.length > 0) head.push(false, refs)
      link.channel.post(head, [input, ...parts])
      return link.sandbox
    },
    /** Sends the call over a link if one is free. @returns the callee's sandbox */
    call(no: number, request: Outbound): string | undefined {
      const link = links.get(request.function ?? request.task)
      if (link?.channel === undefined || link.busy) return undefined
      link.busy = true
      const { id, session, task, trace, parent } = request
      const deadline = Math.min(request.deadline, Date.now() + link.timeoutMs)
      link.call = { no, request, deadline, looks: 0 }
      lookSoon()
      link.channel.post(
        [kind.invoke, `${own}:${no}`, id, session, task, 'call', false, 1, deadline, trace, parent, null, null],
        [request.input],
      )
      return link.sandbox
    },
  }
}

function connect(path: string, token: number, receive: Receive): Channel {
  const socket = process.getBuiltinModule('node:net').connect(path)
  // A callee that is gone is the engine's to notice.
  socket.on('error', () => {})
  const channel = socketChannel(socket, false, receive)
  channel.post([kind.hello, token])
  return channel
}

/** The callee's end. */
export interface CalleeLink {
  /** @param over nothing of the call runs any more */
  answer(job: string, ok: boolean, part: Payload, over: boolean): void
  /** Nothing of the call, which was answered, runs any more. */
  idle(): void
}

/** The callee's ends: at most one of them is served. */
export function calleeLinks(
  invoke: (head: Head, input: Payload, link: CalleeLink, objects: readonly Part[]) => void,
  { post, postLater, hurry }: Pick<Channel, 'post' | 'postLater' | 'hurry'>,
) {
  /** The token that the engine gave last; tokens ascend. */
  let latest = 0
  let served: ReturnType<typeof end> | undefined
  /** Callers that came before the engine's word. */
  const early = new Map<number, () => void>()

  function end(make: (receive: Receive) => Channel, close: () => void) {
    let running = false
    let open = true
    const channel = make((head, parts) => {
      if (head[0] === kind.hello) hello(head[1] as number)
      else if (served === self) begin(head, parts)
      else if (open) waiting.push([head, parts])
    })
    /** Arrived before the engine's word. */
    const waiting: [Head, Part[]][] = []
    const hello = (token: number) => {
      if (token > latest) early.set(token, serve)
      else if (token === latest && served === undefined) serve()
      else close()
    }
    const serve = () => {
      served = self
      for (const [head, parts] of waiting.splice(0)) begin(head, parts)
    }
    const begin = (head: Head, [input, ...objects]: Part[]) => {
      const [, job, id, session, task, mode, , , deadline, trace, parent] = head
      running = true
      // What is not said yet of the call before must not wait for one that blocks.
      hurry()
      postLater([kind.began, job, id, session, task, deadline, trace, parent, mode])
      invoke(head, input as Payload, self, objects)
    }
    const ended = () => {
      running = false
      if (!open) channel.flush(close)
    }
    const self = {
      serve,
      answer(job: string, ok: boolean, part: Payload, over: boolean) {
        channel.post([kind.result, job, ok, over], [part])
        if (over) ended()
      },
      idle() {
        channel.post([kind.idle])
        ended()
      },
      revoke() {
        open = false
        if (!running) close()
      },
    }
    return self
  }

  return {
    listen(path: string): void {
      const server = process.getBuiltinModule('node:net').createServer((socket: Socket) => {
        socket.on('error', () => {})
        end(
          (receive) => socketChannel(socket, false, receive),
          () => socket.destroy(),
        )
      })
      server.on('error', () => {})
      server.listen(path, () => post([kind.listening]))
    },
    linked(token: number, port: MessagePort | undefined): void {
      latest = token
      if (port)
        end(
          (receive) => portChannel(port, receive),
          () => port.close(),
        ).serve()
      early.get(token)?.()
      early.delete(token)
    },
    revoke(): void {
      served?.revoke()
      served = undefined
      // Whoever comes with this token now is too late.
      latest++
      post([kind.revoked])
    },
  }
}
