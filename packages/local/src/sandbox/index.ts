import type { Socket } from 'node:net'
import {
  type BucketOp,
  createHandler,
  devCheck,
  errorFromWire,
  errorToWire,
  type FunctionModule,
  isDelivery,
  itemsIn,
  namesObjects,
  type Outbound,
  type Outcome,
  type Payload,
  type SandboxInfo,
  type Transport,
} from 'fusionize/runtime'
import { type Channel, portChannel, type Receive, socketChannel } from './channel.js'
import { invocationPorts } from './invocations.js'
import * as kind from './kinds.js'
import { type CalleeLink, calleeLinks, callerLinks } from './links.js'
import { FATAL_EXIT, type Head, INFO_VARIABLE, type InvokeHead, type Part } from './messages.js'
import { sandboxObjects } from './objects.js'

/** What the engine tells a sandbox of itself; `objects`: folder for large objects that a process writes. */
type Info = SandboxInfo & { objects: string }

const noObjects = { refs: [], parts: [] }

/** Ms for which objects that came with an answer stay. */
const OBJECT_MS = 1000

/** Who waits for the engine's answer to something that this sandbox posted. */
interface Waiter {
  outcome(outcome: Outcome): void
  accepted(ids: readonly string[]): void
}

/**
 * Turns this process or thread into a sandbox of the function: connects it to the engine that started it, and serves invocations
 * until the engine goes away. The build puts the call at the end of every artifact.
 */
export function start(module: FunctionModule): void {
  const waiting = new Map<number, Waiter>()
  let counter = 0
  const take = (no: number) => {
    const waiter = waiting.get(no)
    waiting.delete(no)
    return waiter
  }
  const receive: Receive = (head, parts, port) => {
    switch (head[0]) {
      case kind.invoke:
        return invoke(head, parts[0] as Payload, undefined, parts.slice(1))
      case kind.result:
        // What comes with an answer is read at once; it may go when that is done.
        if (head[3]) setTimeout(objects.take(head[3] as string[], parts.slice(1) as Payload[]), OBJECT_MS)
        return answer(head[1] as number, head[2] as boolean, parts[0] as Payload)
      case kind.accepted:
        return take(head[1] as number)?.accepted(head[2] as string[])
      case kind.cancel:
        return handler.cancel(head[1] as string, head[2] as 'cancelled' | 'timeout')
      case kind.lend:
        return caller.lend(head, port)
      case kind.listen:
        return callee.listen(head[1] as string)
      case kind.linked:
        return callee.linked(head[1] as number, port)
      case kind.unlent:
        return caller.unlent(head)
      case kind.revoke:
        return callee.revoke()
      case kind.recall:
        return handler.recall(head[1] as string)
      case kind.sync:
        return channel.post([kind.synced])
    }
  }
  const answer = (no: number, ok: boolean, output: Payload) => take(no)?.outcome(outcomeOf(ok, output))
  const { channel, info, thread } = connect(receive)
  const objects = sandboxObjects(info.sandbox, thread ? undefined : info.objects, () => channel)
  const caller = callerLinks(info.sandbox, {
    result: answer,
    lost: (no, request, sandbox) => {
      if (waiting.has(no)) channel.post([kind.call, no, ...outboundHead(request), sandbox], [request.input])
    },
    unsent: (sandbox, id) => channel.post([kind.unsent, sandbox, id]),
    overdue: (sandbox, no, { id, session, task, trace, parent }, deadline) =>
      channel.post([kind.overdue, sandbox, `${info.sandbox}:${no}`, id, session, task, deadline, trace, parent]),
  })

  /** Posts something that the engine answers once it holds it; rejects when it refuses. */
  const offer = (post: (no: number) => void): Promise<readonly string[]> =>
    new Promise((accepted, reject) => {
      const no = ++counter
      waiting.set(no, { accepted, outcome: (refusal) => refusal.ok || reject(errorFromWire(refusal.error)) })
      post(no)
    })

  const transport: Transport = {
    call: (outbound, signal) =>
      new Promise((resolve, reject) => {
        const request = settledOf(outbound)
        if (signal?.aborted) return reject(signal.reason)
        const no = ++counter
        let linked: string | undefined
        const abandon = () => {
          take(no)
          channel.post([kind.abandon, no, linked ?? null])
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', abandon)
        const outcome = (result: Outcome) => {
          signal?.removeEventListener('abort', abandon)
          resolve(result)
        }
        waiting.set(no, { outcome, accepted: () => {} })
        // Over a link a callee has the limit of one item.
        linked = itemsIn(request.id) > 0 ? undefined : caller.call(no, request)
        if (linked === undefined)
          channel.post([kind.call, no, ...outboundHead(request)], [request.input], request !== outbound)
      }),
    async send(outbound) {
      const request = settledOf(outbound)
      const { input } = request
      const attached = namesObjects(input) ? objects.attached(input) : noObjects
      const callee = isDelivery(input) && attached ? caller.fire(request, attached) : undefined
      // Where it is on its way already the engine need not wake at the same time: there may be no core for both.
      const post = callee === undefined ? channel.post : channel.postLater
      await offer((no) => post([kind.send, no, ...outboundHead(request), callee], [input]))
    },
    bucket: (op) =>
      new Promise((outcome) => {
        const no = ++counter
        waiting.set(no, { outcome, accepted: () => {} })
        const [head, value] = opHead(op)
        channel.post([kind.bucket, no, head], [value])
      }),
    mirror(session, ops, ended, over) {
      const heads = ops.map(opHead)
      channel.postSoon(
        [kind.mirror, session, heads.map(([head]) => head), ended, over],
        heads.map(([, value]) => value),
      )
    },
    result(session, value) {
      channel.post([kind.outcome, session], [value])
    },
    begin(send, brief) {
      const job = `${info.sandbox}:${++counter}`
      channel.postLater([kind.begins, job, send.id])
      // It may keep the thread, and the time of what was before it must not run on.
      if (!brief) channel.hurry()
      return portOf(job, false)
    },
    // After the reply with which they are held.
    release: (ids) => process.nextTick(() => channel.postLater([kind.release, ids])),
    share: objects.share,
    object: objects.object,
    log(entry) {
      channel.postSoon([kind.log, entry.level, entry.task, entry.session, entry.time], [entry.message, entry.data])
    },
  }
  const portOf = invocationPorts(channel, offer)
  const handler = createHandler(module, info, transport, devCheck)

  const invoke = (head: Head, input: Payload, link?: CalleeLink, parts: readonly Part[] = []) => {
    const [, job, id, session, task, mode, external, attempt, deadline, trace, parent, cold, coldKind, lease, refs] =
      head as InvokeHead
    const request = { id, session, task, mode, input, external, attempt, deadline, trace, parent, cold }
    const forget = refs && objects.take(refs, parts as Payload[])
    const over = () => {
      forget?.()
      link?.idle()
    }
    handler.run(
      { ...request, ...(coldKind && { coldKind }), ...(lease && { lease }) },
      // Over a link nobody waits for a send: its caller hears only that it is over.
      link && mode === 'send' ? portOf(job, false, undefined, over) : portOf(job, mode === 'call', link, forget),
    )
  }

  const callee = calleeLinks(invoke, channel)

  process.on('uncaughtException', (error, origin) => {
    channel.post([kind.fatal, origin], [JSON.stringify(errorToWire(error))])
    channel.flush(() => process.exit(FATAL_EXIT))
  })
  channel.post([kind.ready])
}

function connect(receive: Receive): { channel: Channel; info: Info; thread: boolean } {
  const told = process.env[INFO_VARIABLE]
  if (told === undefined) return connectThread(receive)
  delete process.env[INFO_VARIABLE]
  // Loaded on demand: it costs start-up time that a thread need not pay.
  const net = process.getBuiltinModule('node:net')
  const socket: Socket = new net.Socket({ fd: 3, readable: true, writable: true })
  const leave = () => process.exit(0)
  socket.on('end', leave).on('close', leave).on('error', leave)
  return { channel: socketChannel(socket, false, receive), info: JSON.parse(told), thread: false }
}

function connectThread(receive: Receive): { channel: Channel; info: Info; thread: boolean } {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  if (parentPort === null || !workerData?.fusionize)
    throw new Error('this file is a function of fusionize: run it with the fusionize command, not by itself')
  return { channel: portChannel(parentPort, receive), info: workerData.fusionize, thread: true }
}

/** Bytes as they are now: a message may leave when the caller has changed them. */
function settledOf(request: Outbound): Outbound {
  const { input } = request
  return typeof input === 'object' ? { ...request, input: new Uint8Array(input) } : request
}

function outboundHead(request: Outbound): unknown[] {
  return [
    request.id,
    request.session,
    request.task,
    request.function ?? null,
    request.deadline,
    request.trace,
    request.parent,
  ]
}

/** A bucket's operation without its value, and the value. */
function opHead(op: BucketOp): [head: object, value: Payload] {
  if (op.op !== 'put') return [op, undefined]
  const { value, ...head } = op
  return typeof value === 'object' && 'ref' in value ? [{ ...head, ref: value }, undefined] : [head, value]
}

function outcomeOf(ok: boolean, part: Payload): Outcome {
  return ok ? { ok, output: part } : { ok, error: JSON.parse(part as string) }
}
