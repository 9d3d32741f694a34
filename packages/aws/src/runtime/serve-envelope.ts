import { errorFromWire, type Outcome } from 'fusionize/runtime'
import type { Buckets, From } from './buckets/index.js'
import { endOf, type LambdaContext } from './context.js'
import { type Answer, ENVELOPE_VERSION, type Envelope } from './envelope.js'
import { CALL_BYTES } from './limits.js'
import type { ObjectStore } from './object-store.js'
import { type Attempts, firstAttempt } from './retries.js'
import { open, seal } from './seal.js'
import type { SessionRun } from './session-run.js'

export interface ServePorts {
  run: SessionRun
  store: ObjectStore
  attempts: Attempts
  buckets: Buckets | undefined
}

/**
 * @returns what serves other functions of the app: answers a call, also one that failed; null for a send
 * @throws the error of a send that Lambda is to try again
 */
export function serveEnvelope({ run, store, attempts, buckets }: ServePorts) {
  return async (envelope: Envelope, context: LambdaContext): Promise<Answer | null> => {
    const { id, session, task, mode, external, trace, parent, root, replayed } = envelope
    const deadline = envelope.deadline ?? Number.MAX_SAFE_INTEGER
    const input = await open(envelope.input, store, endOf(context))
    const attempt = mode === 'send' ? await attempts.begin(envelope, context.awsRequestId) : firstAttempt
    const work = {
      id,
      session,
      task,
      mode,
      input,
      external,
      attempt: attempt.number,
      deadline,
      trace,
      parent,
      replayed,
    }
    const from = fromOf(envelope)
    const isOver = async () => mode === 'send' && (await buckets?.isOver(work, from))
    if (await isOver()) {
      await buckets?.over(work)
      return null
    }
    const outcome = await run(work, from, context)
    if (mode === 'call') {
      const counted = root !== undefined && buckets?.sessions.isCounted(session)
      return { ...(await answerOf(outcome, store, endOf(context))), ...(counted && { counted }) }
    }
    // Of two deliveries at the same time one may have ended the session.
    if (!outcome.ok && !(await isOver()) && (await attempts.failed(envelope, attempt, outcome))) {
      await buckets?.leave(work)
      throw errorFromWire(outcome.error)
    }
    await buckets?.over(work, !outcome.ok)
    return null
  }
}

function fromOf({ external, id, session, mode, root }: Envelope): From {
  if (external || id === session) return { kind: 'root', sent: mode === 'send' }
  return mode === 'call' ? { kind: 'call', root } : { kind: 'send' }
}

async function answerOf(outcome: Outcome, store: ObjectStore, deadline: number): Promise<Answer> {
  if (!outcome.ok) return { fusionize: ENVELOPE_VERSION, ok: false, error: outcome.error }
  return { fusionize: ENVELOPE_VERSION, ok: true, output: await seal(outcome.output, CALL_BYTES, store, deadline) }
}
