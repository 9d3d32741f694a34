import type { TaskDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import { spanCode } from './calls.js'
import { current, Frame, type Held, type Run, Unit } from './frames.js'
import type { HeldSend, InvocationPort, Outcome, Payload } from './protocol.js'
import { validate } from './schema.js'
import { decode, encode, sizeOf } from './wire.js'
import { errorToWire } from './wire-errors.js'

type Deliver = (outcome: Outcome, held: HeldSend[]) => Promise<readonly string[]> | undefined

/** Runs what was asked for, answers, then runs the inline sends that it left behind. */
export function startRun(
  run: Run,
  unit: Unit,
  definition: TaskDefinition,
  port: InvocationPort,
  /** A time limit to enforce here, where no platform does. */
  limitMs?: number,
): void {
  const { request, router } = run
  const mode = request.mode === 'send' ? spanCode.send : spanCode.call
  const span = run.spans.open(-1, router.link(definition).name, mode, sizeOf(request.input))
  const frame = new Frame(run, unit, undefined, 0, definition, span, request.deadline)
  run.open++
  const result = () => outcomeOf(frame, request.input, request.external)
  const limited = limitMs === undefined ? result() : frame.limit(result, limitMs).catch(failure)
  void answer(frame, limited, port, (outcome, held) => {
    run.replied = run.spans.now()
    return port.reply(outcome, held)
  })
}

/** One unit's end: deliver its outcome, see what it leaves behind held outside, run that here, and so on. */
async function answer(frame: Frame, result: Promise<Outcome>, port: InvocationPort, deliver: Deliver): Promise<void> {
  const { run, unit } = frame
  try {
    const outcome = await result
    unit.answered = true
    const accepted = deliver(
      outcome,
      unit.held.map((held) => held.send),
    )
    if (unit.held.length === 0) return
    const known = new Set(await accepted)
    for (const held of unit.held) if (!known.has(held.send.id)) runHeld(run, held, port)
  } catch (error) {
    // The platform could not take the held work: it told the caller so, and nothing of it was accepted.
    const message = `work after the reply was not accepted: ${error instanceof Error ? error.message : String(error)}`
    const { session } = run.request
    run.router.log({ level: 'error', task: frame.definition.name, session, message, time: Date.now() })
  } finally {
    run.close()
  }
}

function runHeld(run: Run, { send, definition, span }: Held, port: InvocationPort): void {
  const limitMs = definition.options.timeout ?? run.router.info.timeoutMs
  const frame = new Frame(run, new Unit(send.id, 1), undefined, 0, definition, span, Date.now() + limitMs)
  run.spans.restart(span)
  run.open++
  const result = frame.limit(() => outcomeOf(frame, send.input, false), limitMs).catch(failure)
  void answer(frame, result, port, (outcome, held) => port.settled(send.id, outcome, held))
}

async function outcomeOf(frame: Frame, input: Payload, external: boolean): Promise<Outcome> {
  const { run, definition, span } = frame
  const { check } = run.router
  try {
    let value = decode(input)
    if (external && definition.options.input) value = await validate(definition.options.input, value, definition.name)
    const checkInput = check.input(definition.name, value)
    const output = await current.run(frame, bodyOf(definition), value, frame)
    checkInput?.()
    check.output(definition.name, output)
    const payload = encode(output)
    run.spans.close(span, sizeOf(payload))
    return { ok: true, output: payload }
  } catch (error) {
    run.spans.fail(span, error)
    return failure(error)
  }
}

export function failure(error: unknown): Outcome {
  return { ok: false, error: errorToWire(error) }
}

function bodyOf(definition: TaskDefinition): NonNullable<TaskDefinition['body']> {
  if (definition.body) return definition.body
  throw new FusionizeError('UNKNOWN_TASK', `the code of task '${definition.name}' is not in this function`)
}
