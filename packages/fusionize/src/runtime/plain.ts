import type { TaskDefinition } from '../definition.js'
import { Run, Unit } from './frames.js'
import type { HeldSend, Invocation, Outcome, Payload } from './protocol.js'
import { PlainRouter } from './router.js'
import { startRun } from './run.js'
import { decode, encode } from './wire.js'
import { errorFromWire } from './wire-errors.js'

/**
 * Tasks outside a function (a unit test, a script): the same frames, copies and errors as in a function whose every route is inline,
 * with nobody to report to. Sends run after the call that made them, in a later turn of the event loop.
 */
const router = new PlainRouter((definition, { id, session, input }) => plainLater(definition, input, id, session))
let sessions = 0
let running = 0
let failures: unknown[] = []
let waiting: (() => void)[] = []

/** @returns what the task returned, as a copy; rejects as a caller in another function would see it */
export async function plainCall(definition: TaskDefinition, input: unknown): Promise<unknown> {
  const payload = encode(input)
  const outcome = await plainRun(definition, payload, 'call')
  if (!outcome.ok) throw errorFromWire(outcome.error)
  return decode(outcome.output)
}

export function plainSend(definition: TaskDefinition, input: unknown): void {
  plainLater(definition, encode(input))
}

/** Runs the task when whoever sent to it has gone on. */
function plainLater(definition: TaskDefinition, input: Payload, id?: string, session?: string): void {
  running++
  setImmediate(async () => {
    const outcome = await plainRun(definition, input, 'send', id, session)
    if (!outcome.ok) failures.push(errorFromWire(outcome.error))
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
  id = `plain-${++sessions}`,
  session = id,
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
    const run = new Run(router, request, false, over)
    startRun(
      run,
      new Unit(id, 1),
      definition,
      {
        reply: (outcome, held) => {
          resolve(outcome)
          return held.length > 0 ? later(held) : undefined
        },
        settled: (_id, outcome, held) => {
          if (!outcome.ok) failures.push(errorFromWire(outcome.error))
          return held.length > 0 ? later(held) : undefined
        },
        done: () => {},
      },
      timeout,
    )
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
