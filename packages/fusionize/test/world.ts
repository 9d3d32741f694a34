import type { InvocationRecord } from '../src/record.js'
import { parseRecord } from '../src/record.js'
import * as ownRuntime from '../src/runtime/index.js'
import { maps } from '../src/runtime/map.js'
import type { Handler, HeldSend, Invocation, LogEntry, Outbound, Outcome, Payload } from '../src/runtime/protocol.js'
import type { Mode } from '../src/setup/types.js'

export type Inline = Record<Mode, string[]>

export interface World {
  /** Calls an entry from outside; resolves with its output, rejects with its error. */
  request(task: string, input?: unknown, options?: Partial<Invocation>): Promise<unknown>
  cancel(id: string, reason: 'cancelled' | 'timeout'): void
  /** Resolves when every invocation is done. */
  quiet(): Promise<void>
  records: InvocationRecord[]
  logs: LogEntry[]
  /** What happened at the boundary, in order. */
  events: string[]
  failedSends: { task: string; error: unknown }[]
}

/**
 * Every function's handler in one process, joined by a transport that passes nothing but payloads: the smallest platform that obeys
 * the protocol. One handler per function and request, as with one request per sandbox.
 */
export function world(
  tasks: { taskName: string }[],
  inlineOf: (fn: string) => Inline,
  options: {
    dev?: boolean
    timeoutMs?: number
    leaves?: string[]
    known?: Set<string>
    /** Remote maps: items per invocation, by function and task. */
    bundleOf?: (fn: string) => Record<string, number>
    /** The runtime that made the tasks; for tests that have it as the package `fusionize/runtime`. */
    runtime?: Pick<typeof ownRuntime, 'createHandler' | 'decode' | 'encode' | 'errorFromWire'>
  } = {},
): World {
  const { createHandler, decode, encode, errorFromWire } = options.runtime ?? ownRuntime
  const records: InvocationRecord[] = []
  const logs: LogEntry[] = []
  const events: string[] = []
  const failedSends: World['failedSends'] = []
  const handlers = new Map<string, Handler>()
  let open = 0
  let requests = 0
  let idle: (() => void)[] = []
  const over = () => {
    if (--open > 0) return
    for (const wake of idle) wake()
    idle = []
  }

  const mapsOf = (fn: string) => (options.bundleOf ? { maps, bundle: options.bundleOf(fn) } : {})
  const handlerOf = (fn: string): Handler => {
    let handler = handlers.get(fn)
    if (!handler) {
      handler = createHandler(
        { app: 'test', function: fn, tasks, inline: inlineOf(fn), leaves: options.leaves ?? [], ...mapsOf(fn) },
        {
          setup: 'setup',
          sandbox: `${fn}-1`,
          memory: 128,
          sampleCpuEvery: 2,
          timeoutMs: options.timeoutMs ?? 10_000,
          dev: options.dev ?? false,
        },
        {
          call: (out, signal) => call(out, signal),
          send,
          log: (entry) => logs.push(entry),
          bucket: noBuckets,
          object: noBuckets,
          share: noBuckets,
          begin: noBuckets,
          mirror: noBuckets,
          result: noBuckets,
          release: noBuckets,
        },
        ownRuntime.devCheck,
      )
      handlers.set(fn, handler)
    }
    return handler
  }

  const invoke = (fn: string, invocation: Invocation, onReply: (outcome: Outcome) => void): void => {
    open++
    handlerOf(fn).run(invocation, {
      reply(outcome, held) {
        events.push(`reply ${invocation.task}`)
        const kept = held.length > 0 ? hold(held) : undefined
        onReply(outcome)
        return kept
      },
      settled(id, outcome, held) {
        events.push(`settled ${id}`)
        if (!outcome.ok) failedSends.push({ task: id, error: errorFromWire(outcome.error) })
        return held.length > 0 ? hold(held) : undefined
      },
      done(lines) {
        records.push(parseRecord(lines()))
        over()
      },
    })
  }

  const hold = async (held: HeldSend[]): Promise<string[]> => {
    events.push(`hold ${held.map((h) => h.task).join(' ')}`)
    return held.filter((h) => options.known?.has(h.id)).map((h) => h.id)
  }

  const call = (out: Outbound, signal: AbortSignal | undefined): Promise<Outcome> =>
    new Promise((resolve) => {
      const fn = out.function ?? out.task
      signal?.addEventListener('abort', () => handlerOf(fn).cancel(out.id, 'cancelled'))
      invoke(fn, { ...inbound(out), mode: 'call' }, resolve)
    })

  const send = async (out: Outbound): Promise<void> => {
    invoke(out.function ?? out.task, { ...inbound(out), mode: 'send' }, (outcome) => {
      if (!outcome.ok) failedSends.push({ task: out.task, error: errorFromWire(outcome.error) })
    })
  }

  return {
    records,
    logs,
    events,
    failedSends,
    cancel: (id, reason) => {
      for (const handler of handlers.values()) handler.cancel(id, reason)
    },
    quiet: () => (open === 0 ? Promise.resolve() : new Promise<void>((resolve) => idle.push(resolve))),
    request(task, input, more) {
      const id = `request-${++requests}`
      return new Promise((resolve, reject) => {
        let payload: Payload
        try {
          payload = encode(input)
        } catch (error) {
          return reject(error)
        }
        const invocation: Invocation = {
          id,
          session: id,
          task,
          mode: 'call',
          input: payload,
          external: true,
          attempt: 1,
          deadline: Date.now() + 10_000,
          trace: 'a'.repeat(32),
          parent: null,
          cold: null,
          ...more,
        }
        invoke(task, invocation, (outcome) =>
          outcome.ok ? resolve(decode(outcome.output)) : reject(errorFromWire(outcome.error)),
        )
      })
    },
  }
}

function inbound(out: Outbound): Omit<Invocation, 'mode'> {
  return {
    id: out.id,
    session: out.session,
    task: out.task,
    input: typeof out.input === 'object' ? new Uint8Array(out.input) : out.input,
    external: false,
    attempt: 1,
    deadline: out.deadline,
    trace: out.trace,
    parent: out.parent,
    cold: null,
  }
}

export const nothingInline = (): Inline => ({ call: [], send: [], map: [] })

export function allInline(names: string[]): () => Inline {
  return () => ({ call: names, send: names, map: names })
}

function noBuckets(): never {
  throw new Error('this world has no buckets')
}
