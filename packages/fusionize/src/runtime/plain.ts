import type { TaskDefinition } from '../definition.js'
import { type FusionizeError, noResultError, timeoutError } from '../errors.js'
import { Run, Unit } from './frames.js'
import { Lease } from './lease.js'
import { PlainRouter } from './plain-router.js'
import type { HeldSend, Invocation, Outcome, Payload } from './protocol.js'
import { startRun } from './run.js'
import { decode, encode } from './wire.js'
import { errorFromWire } from './wire-errors.js'

/**
 * Tasks outside a function (a unit test, a script): the same frames, copies and errors as in a function whose every route is inline
 * and which evaluates every bucket itself, with nobody to report to. Sends run after the call that made them, in a later turn of the
 * event loop.
 */
const router = new PlainRouter(
  (definition, { id, session, input }) => plainLater(definition, input, id, session),
  (session, value) => answers.get(session)?.({ ok: true, output: value }),
  (ms, then) => {
    running++
    const timer = setTimeout(() => {
      then()
      over()
    }, ms)
    return () => {
      clearTimeout(timer)
      over()
    }
  },
)
const leases = new Map<string, Lease>()
/** Who waits for a bucket's answer, by session. */
const answers = new Map<string, (outcome: Outcome) => void>()
let sessions = 0
let running = 0
let failures: unknown[] = []
let waiting: (() => void)[] = []

/** @returns what the task returned, as a copy; rejects as a caller in another function would see it */
export async function plainCall(definition: TaskDefinition, input: unknown): Promise<unknown> {
  const payload = encode(input)
  const id = nextId()
  const outcome = await (definition.options.result === undefined
    ? plainRun(definition, payload, 'call', id, id)
    : plainAnswer(definition, payload, id, definition.options.result.bucketName))
  if (!outcome.ok) throw errorFromWire(outcome.error)
  return decode(outcome.output)
}

export function plainSend(definition: TaskDefinition, input: unknown): void {
  const id = nextId()
  plainLater(definition, encode(input), id, id)
}

function nextId(): string {
  return `plain-${++sessions}`
}

/** Runs an entry that a bucket answers for. */
function plainAnswer(definition: TaskDefinition, input: Payload, id: string, bucket: string): Promise<Outcome> {
  const { timeout } = definition.options
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const settle = (outcome: Outcome) => {
      clearTimeout(timer)
      answers.delete(id)
      resolve(outcome)
    }
    answers.set(id, settle)
    if (timeout !== undefined) timer = setTimeout(() => settle(failed(timeoutError(definition.name, timeout))), timeout)
    const lease = leaseOf(id)
    const end = lease.end.bind(lease)
    lease.end = (recalled) => {
      end(recalled)
      // Its own failure, if that ended the session, goes before.
      if (!lease.open) queueMicrotask(() => settle(failed(noResultError(definition.name, bucket))))
    }
    void plainRun(definition, input, 'call', id, id, true).then((outcome) => {
      if (!outcome.ok) settle(outcome)
    })
  })
}

function failed(error: FusionizeError): Outcome {
  return { ok: false, error: { name: error.name, message: error.message, code: error.code } }
}

function leaseOf(session: string): Lease {
  const known = leases.get(session)
  if (known) return known
  const lease = new PlainLease(session, () => {})
  leases.set(session, lease)
  return lease
}

/** Nobody else has anything of a session: it ends when its last run is over, unless its end makes work. */
class PlainLease extends Lease {
  override end(): void {
    if (!this.open) return
    for (const shard of this.known()) shard.flush(this.session)
    if (this.runs > 0) return
    for (const shard of this.known()) shard.end(this.session)
    if (this.runs > 0) return
    this.open = false
    leases.delete(this.session)
  }
}

/** Runs the task when whoever sent to it has gone on. */
function plainLater(definition: TaskDefinition, input: Payload, id: string, session: string): void {
  running++
  const lease = leaseOf(session)
  lease.runs++
  setImmediate(async () => {
    const outcome = await plainRun(definition, input, 'send', id, session)
    if (!outcome.ok) failures.push(errorFromWire(outcome.error))
    if (--lease.runs === 0) lease.end(false)
    over()
  })
}

/** Resolves when no task is running and no send is waiting; rejects with what sends failed with since the last time. */
export async function plainDrained(): Promise<void> {
  if (running > 0) await new Promise<void>((resolve) => waiting.push(resolve))
  const failed = failures
  failures = []
  if (failed.length === 1) throw failed[0]
  if (failed.length > 1) throw new AggregateError(failed, `${failed.length} sends failed`)
}

function plainRun(
  definition: TaskDefinition,
  input: Payload,
  mode: 'call' | 'send',
  id: string,
  session: string,
  answered = false,
): Promise<Outcome> {
  const { timeout } = definition.options
  return new Promise((resolve) => {
    const request: Invocation = {
      id,
      session,
      task: definition.name,
      mode,
      input,
      external: false,
      attempt: 1,
      deadline: Date.now() + (timeout ?? router.info.timeoutMs),
      trace: '0'.repeat(32),
      parent: null,
      cold: null,
    }
    running++
    const port = {
      reply: (outcome: Outcome, held: HeldSend[]) => {
        resolve(outcome)
        return held.length > 0 ? later(held) : undefined
      },
      settled: (_id: string, outcome: Outcome, held: HeldSend[]) => {
        if (!outcome.ok) failures.push(errorFromWire(outcome.error))
        return held.length > 0 ? later(held) : undefined
      },
      done: () => {},
    }
    const unit = new Unit(request, 1, mode === 'send' || answered)
    startRun(new Run(router, request, unit, port, false, leaseOf(session), over), definition, timeout)
  })
}

/** Lets the caller go on before the sends that the reply left behind. */
function later(_held: HeldSend[]): Promise<readonly string[]> {
  return new Promise((resolve) => setImmediate(resolve, []))
}

function over(): void {
  if (--running > 0) return
  const woken = waiting
  waiting = []
  for (const wake of woken) wake()
}
