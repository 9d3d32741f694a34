import { FusionizeError } from '../../errors.js'
import { devCheck } from '../dev.js'
import { current } from '../frames.js'
import { createHandler } from '../handler.js'
import type { FunctionModule, Outbound, Outcome, Transport } from '../protocol.js'
import { errorFromWire, errorToWire } from '../wire-errors.js'
import { MEMBER_VARIABLE } from './hosts.js'
import type { FromMember, Leaving, Line, MemberInfo, ToMember } from './messages.js'

interface Waiter {
  resolve(outcome: Outcome | undefined): void
  reject(error: unknown): void
}

/** Serves a pool if this thread or process was started for one. @returns whether it was */
export function serve(module: FunctionModule): boolean {
  const joined = join((message) => receive(message))
  if (joined === undefined) return false
  const { line, info } = joined
  const waiting = new Map<number, Waiter>()
  /** The item that a request belongs to, and the other way round. */
  const items = new WeakMap<object, number>()
  const ids = new Map<number, string>()
  let count = 0

  const leave = (kind: Leaving['kind'], request: Outbound, waiter: Waiter): number => {
    const no = ++count
    waiting.set(no, waiter)
    // Whoever asks does so in the frame of a task.
    const run = current.getStore()?.run
    const item = run === undefined ? 0 : (items.get(run.request) ?? 0)
    line.post({ kind, no, item, request })
    return no
  }
  const transport: Transport = {
    call: (request, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const abandon = () => {
          waiting.delete(no)
          line.post({ kind: 'abandon', no })
          reject(signal?.reason)
        }
        const over =
          <T>(then: (value: T) => void) =>
          (value: T) => {
            signal?.removeEventListener('abort', abandon)
            then(value)
          }
        const no = leave('call', request, {
          resolve: over((outcome) => resolve(outcome as Outcome)),
          reject: over(reject),
        })
        signal?.addEventListener('abort', abandon)
      }),
    send: (request) => new Promise((resolve, reject) => leave('send', request, { resolve: () => resolve(), reject })),
    log: (entry) => line.post({ kind: 'log', entry }),
    bucket: notHere,
    mirror: notHere,
    result: notHere,
    begin: notHere,
    release: notHere,
    share: notHere,
    object: notHere,
  }
  const { pool: _, buckets: __, ...rest } = module
  const handler = createHandler(rest, { ...info, cores: 1, sampleCpuEvery: 0 }, transport, devCheck)

  const receive = (message: ToMember) => {
    switch (message.kind) {
      case 'run': {
        const { item, invocation, limitMs = Number.POSITIVE_INFINITY } = message
        line.post({ kind: 'began', item })
        invocation.deadline = Math.min(invocation.deadline, Date.now() + limitMs)
        items.set(invocation, item)
        ids.set(item, invocation.id)
        const before = performance.eventLoopUtilization()
        handler.run(invocation, {
          reply(outcome, held) {
            line.post({ kind: 'reply', item, outcome, held })
            // What it leaves behind is the sandbox's to hold and to run.
            return held.length > 0 ? Promise.resolve(held.map(({ id }) => id)) : undefined
          },
          settled: () => undefined,
          done(lines) {
            ids.delete(item)
            const { active, idle } = performance.eventLoopUtilization(before)
            line.post({ kind: 'done', item, record: lines(), activeMs: active, elapsedMs: active + idle })
          },
        })
        setImmediate(() => line.post({ kind: 'free' }))
        return
      }
      case 'ping':
        line.post({ kind: 'free' })
        return
      case 'cancel': {
        const id = ids.get(message.item)
        if (id !== undefined) handler.cancel(id, message.reason)
        return
      }
      case 'answer':
        take(message.no)?.resolve(message.outcome)
        return
      case 'refuse':
        take(message.no)?.reject(errorFromWire(message.error))
    }
  }
  const take = (no: number) => {
    const waiter = waiting.get(no)
    waiting.delete(no)
    return waiter
  }
  return true
}

/** The line to the sandbox that this thread or process is a member of; undefined when it is no member. */
function join(receive: (message: ToMember) => void): { line: Line<FromMember>; info: MemberInfo } | undefined {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  if (parentPort && workerData?.fusionizePool) {
    const line: Line<FromMember> = { post: (message) => parentPort.postMessage(message) }
    parentPort.on('message', receive)
    process.on('uncaughtException', (error, origin) => {
      line.post({ kind: 'fatal', origin, error: errorToWire(error) })
      process.exit(1)
    })
    return { line, info: workerData.fusionizePool }
  }
  const told = process.env[MEMBER_VARIABLE]
  if (told === undefined || !process.send) return undefined
  delete process.env[MEMBER_VARIABLE]
  const send = process.send.bind(process) as (message: unknown, sent?: () => void) => void
  process.on('message', receive as (message: unknown) => void).on('disconnect', () => process.exit(0))
  process.on('uncaughtException', (error, origin) =>
    send({ kind: 'fatal', origin, error: errorToWire(error) }, () => process.exit(1)),
  )
  return { line: { post: (message) => send(message) }, info: JSON.parse(told) }
}

function notHere(): never {
  throw new FusionizeError('UNSUPPORTED', 'a pool has no buckets; build the app again')
}
