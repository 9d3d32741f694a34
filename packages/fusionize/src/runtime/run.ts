import type { TaskDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import { spanCode } from './calls.js'
import { type DeliveryHead, decodeDelivery, isDelivery } from './delivery.js'
import { current, Frame, type Held, type Run, Unit } from './frames.js'
import type { HeldSend, Outcome, Payload, Transport } from './protocol.js'
import { validate } from './schema.js'
import { copiedBytes, copy, decode, encode, sizeOf } from './wire.js'
import { errorToWire } from './wire-errors.js'

type Deliver = (outcome: Outcome, held: HeldSend[], next: readonly HeldSend[]) => Promise<readonly string[]> | undefined

const none: readonly never[] = []

/** Runs what was asked for, answers, then runs what it left behind. */
export function startRun(
  run: Run,
  definition: TaskDefinition,
  /** A time limit to enforce here, where no platform does. */
  limitMs?: number,
): void {
  const { request, router, port, unit } = run
  const mode = request.mode === 'send' ? spanCode.send : spanCode.call
  const span = run.spans.open(-1, router.link(definition).name, mode, request.known?.bytes ?? sizeOf(request.input))
  const frame = new Frame(run, unit, undefined, 0, definition, span, request.deadline)
  run.open++
  if (run.lease && unit.detached && request.mode === 'call') run.lease.result = definition.options.result?.bucketName
  const result = () => outcomeOf(frame, request.input, request.external)
  const limited = limitMs === undefined ? result() : frame.limit(result, limitMs).catch(failure)
  void limited.then((outcome) =>
    answer(frame, outcome, (final, held, next) => {
      run.replied = run.spans.now()
      return port.reply(final, held, next)
    }),
  )
}

/** Something of the frame's unit is on its way out: the unit is not answered before it has arrived. */
export function leave(frame: Frame, leaving: Promise<unknown>): void {
  const { unit, run } = frame
  const root = unit.root ?? unit
  run.open++
  const left = leaving.finally(() => run.close())
  left.catch(() => {})
  if (root.answered) return
  root.left ??= []
  root.left.push(left)
}

/** A unit's end: deliver its outcome, see what it leaves behind held outside, run that here, and so on. */
export async function answer(frame: Frame, result: Outcome, deliver: Deliver): Promise<void> {
  const { run, unit } = frame
  try {
    let outcome = result
    if (unit.left) outcome = await Promise.all(unit.left).then(() => outcome, failure)
    // The platform runs it again, and may do so elsewhere.
    if (!outcome.ok && unit.detached && run.lease) run.lease.spread = true
    const { fused, held: waiting = none } = unit
    const quiet = fused?.quiet(unit)
    if (quiet) await quiet
    unit.answered = true
    const began = fused?.left() ?? none
    const left = began.length > 0 ? [...waiting, ...began] : waiting
    const next = fused?.nextSends() ?? none
    const alone = left.length === 0 && run.open === 1
    // What is settled after the answer is held outside, so its end must be told.
    const withheld = unit === run.unit && alone && next.length === 1 && run.router.withholds(run, outcome, next)
    // With what else of the run goes on, and may need in another sandbox what this unit did.
    if (!withheld) run.lease?.answering(left.length + next.length + run.open - 1)
    const accepted = deliver(
      outcome,
      left.map((held) => held.send()),
      next,
    )
    if (left.length > 0) {
      unit.handover = Promise.resolve(accepted).then((ids) => new Set(ids))
      const known = await unit.handover
      for (const held of waiting) if (!known.has(held.id)) begin(run, held, undefined, settle)
    }
    fused?.handed(run, next, alone)
  } catch (error) {
    // The platform could not take what is left: it told the caller so, and nothing of it was accepted.
    const message = `refused after the reply: ${(error as Error).message}`
    const { session } = run.request
    run.router.log({ level: 'error', task: frame.definition.name, session, message, time: Date.now() })
  } finally {
    run.close()
  }
}

/**
 * Runs it.
 * @param root the unit that answers for it; none when it is held outside
 * @param conclude called with its outcome
 */
export function begin(
  run: Run,
  held: Held,
  root: Unit | undefined,
  conclude: (frame: Frame, held: Held, outcome: Outcome) => unknown,
): void {
  const unit = new Unit(held, 1, true)
  unit.root = root
  const { definition, span } = held
  const { timeout } = definition.options
  const limitMs = timeout ?? run.router.info.timeoutMs
  const frame = new Frame(run, unit, undefined, 0, definition, span, Date.now() + limitMs)
  run.open++
  // In a turn of its own: whoever put goes on first, and a chain of triggers is no chain of stack frames.
  const start = (ended: (outcome: Outcome) => unknown) => void soon.then(() => execute(frame, held, ended))
  const end = (outcome: Outcome) => conclude(frame, held, outcome)
  if (root && timeout === undefined) start(end)
  else
    void frame
      .limit(() => new Promise<Outcome>(start), limitMs)
      .catch(failure)
      .then(end)
}

const soon = Promise.resolve()

/** The end of what is held outside. */
export function settle(frame: Frame, held: Held, outcome: Outcome): Promise<void> {
  const { run } = frame
  return answer(frame, outcome, (final, left, next) => run.port.settled(held.id, final, left, next))
}

/** Runs the task of held work, in a turn of its own; its output is nobody's, but it must be one that could travel. */
function execute(frame: Frame, held: Held, ended: (outcome: Outcome) => unknown): void {
  const { run, definition, span } = frame
  run.spans.restart(span)
  const { check } = run.router
  let running: unknown
  let checkInput: (() => void) | undefined
  try {
    const input = held.begin()
    checkInput = check.input(definition.name, input)
    // Not `run`: the turn is this run's, so that there is nothing to return to.
    current.enterWith(frame)
    running = bodyOf(definition)(input, frame)
  } catch (error) {
    running = Promise.reject(error)
  }
  Promise.resolve(running).then(
    (output) => {
      try {
        checkInput?.()
        check.output(definition.name, output)
        copy(output)
      } catch (error) {
        ended(failed(frame, error))
        return
      }
      frame.onOver?.(true)
      run.spans.close(span, output === undefined ? 0 : copiedBytes)
      ended(done)
    },
    (error) => ended(failed(frame, error)),
  )
}

const done: Outcome = { ok: true, output: undefined }

function failed(frame: Frame, error: unknown): Outcome {
  frame.onOver?.(false)
  frame.run.spans.fail(frame.span, error)
  return failure(error)
}

export async function outcomeOf(frame: Frame, input: Payload, external: boolean): Promise<Outcome> {
  const { run, definition, span } = frame
  const { check } = run.router
  try {
    const given = deliveryOf(run, input)
    // Awaited only where something has to be fetched: promises are a third of what it takes a delivery's task to begin.
    let value = given ? inputOf(run, given instanceof Promise ? await given : given) : decode(input)
    if (external && definition.options.input) value = await validate(definition.options.input, value, definition.name)
    const checkInput = check.input(definition.name, value)
    const output = await current.run(frame, bodyOf(definition), value, frame)
    checkInput?.()
    check.output(definition.name, output)
    const payload = encode(output)
    frame.onOver?.(true)
    run.spans.close(span, sizeOf(payload))
    return { ok: true, output: payload }
  } catch (error) {
    return failed(frame, error)
  }
}

/** What a trigger delivered to a run that it started: as the run that put left it, or as it came. */
function deliveryOf({ request, router }: Run, input: Payload): ReturnType<typeof decodeDelivery> | undefined {
  const { known } = request
  if (known) {
    // It has the run that put in it, and that the one before.
    request.known = undefined
    return known.read()
  }
  return isDelivery(input) ? decodeDelivery(input, ({ ref }) => (router.transport as Transport).object(ref)) : undefined
}

function inputOf(run: Run, { head, input }: { head: DeliveryHead; input: unknown }): unknown {
  run.delivery = head
  return input
}

export function failure(error: unknown): Outcome {
  return { ok: false, error: errorToWire(error) }
}

function bodyOf(definition: TaskDefinition): NonNullable<TaskDefinition['body']> {
  if (definition.body) return definition.body
  throw new FusionizeError('UNKNOWN_TASK', `the code of task '${definition.name}' is not in this function`)
}
