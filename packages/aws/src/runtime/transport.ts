import { FusionizeError, timeoutError } from 'fusionize'
import type { LogEntry, Outbound, Outcome, Transport } from 'fusionize/runtime'
import { calleeOf } from './callee.js'
import { ENVELOPE_VERSION } from './envelope.js'
import type { Environment } from './environment.js'
import { call, send } from './lambda.js'
import { CALL_BYTES, SEND_BYTES } from './limits.js'
import type { ObjectStore } from './object-store.js'
import { open, seal } from './seal.js'
import type { Service } from './service.js'

/** Ms in which a send must have been taken: beyond it its sender hears that it was not. */
const SEND_MS = 30_000

/** How the tasks of a function reach others: each is a Lambda function. */
export function lambdaTransport(environment: Environment, lambda: Service, store: ObjectStore): Transport {
  return {
    async call(request, signal): Promise<Outcome> {
      if (signal?.aborted) throw signal.reason
      const { deadline } = request
      const began = Date.now()
      const callee = calleeOf(environment, request.function ?? request.task)
      const input = await seal(request.input, CALL_BYTES, store, deadline)
      const envelope = { ...headOf(request), mode: 'call' as const, input, deadline, at: Date.now() }
      try {
        const answer = await call(lambda, callee, envelope, signal)
        if (!answer.ok) return answer
        return { ok: true, output: await open(answer.output, store, deadline) }
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (!(error instanceof FusionizeError) && Date.now() >= deadline)
          throw timeoutError(request.task, deadline - began)
        throw error
      }
    },
    async send(request) {
      const deadline = Date.now() + SEND_MS
      const callee = calleeOf(environment, request.function ?? request.task)
      const input = await seal(request.input, SEND_BYTES, store, deadline)
      await send(lambda, callee, { ...headOf(request), mode: 'send', input, at: Date.now() }, deadline)
    },
    bucket: async ({ bucket }) => {
      throw new FusionizeError('UNSUPPORTED', `bucket '${bucket}': there are no buckets on aws yet`, { bucket })
    },
    log: (entry) => writeLine(logLine(entry)),
    // A function is never lent a session: what belongs to that is never asked for.
    mirror() {},
    result() {},
    release() {},
    begin: unasked,
    share: unasked,
    object: unasked,
  }
}

function unasked(): never {
  throw new FusionizeError('UNSUPPORTED', 'there are no buckets on aws yet')
}

function headOf({ id, session, task, trace, parent }: Outbound) {
  return { fusionize: ENVELOPE_VERSION, id, session, task, external: false, trace, parent } as const
}

function logLine({ level, task, session, message, data, time }: LogEntry): string {
  const head = JSON.stringify({ fusionize: 'log', level, task, session, message, time })
  return data === undefined ? head : `${head.slice(0, -1)},"data":${data}}`
}

/** A line of the function's log, past the console, which adds its own. */
export function writeLine(line: string): void {
  process.stdout.write(`${line}\n`)
}
