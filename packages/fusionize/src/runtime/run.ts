import type { TaskDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import { spanCode } from './calls.js'
import { decodeDelivery, isDelivery } from './delivery.js'
import { current, Frame, type Held, type Run, Unit } from './frames.js'
import type { HeldSend, Outcome, Payload } from './protocol.js'
import { validate } from './schema.js'
import { copiedBytes, copy, encode, sizeOf } from './wire.js'
import { errorToWire } from './wire-errors.js'

type Deliver = (outcome: Outcome, held: HeldSend[], next: HeldSend[]) => Promise<readonly string[]> | undefined

const none: readonly never[] = []
const soon = Promise.resolve()
/** Ms for which a unit that nobody waits for is not answered while work that it began goes on: what ends by then costs no word. */
const LINGER_MS = 20

/** Runs what was asked for, answers, then runs what it left behind. */
export function startRun(
  run: Run,
  unit: Unit,
  definition: TaskDefinition,
  /** A time limit to enforce here, where no platform does. */
  limitMs?: number,
): void {
  const { request, router, port } = run
  const mode = request.mode === 'send' ? spanCode.send : spanCode.call
  const span = run.spans.open(-1, router.link(definition).name, mode, sizeOf(request.input))
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

/** Work that a trigger of a fused bucket starts: at once where nobody waits for the answer, else after it (Promise 3). */
export function startOrHold(frame: Frame, held: Held): void {
  const { run, unit } = frame
  const root = unit.root ?? unit
  if (!root.detached && !root.answered) {
    root.held ??= []
    root.held.push(held)
  } else if (root.answered && root === unit) leave(frame, run.router.send(held.definition, lateSend(held)))
  else begin(run, held, root.answered ? unit : root)
}

/** Work that a trigger of a fused bucket starts as an invocation of its own, here if this sandbox is free then. */
export function startNext(frame: Frame, held: Held): void {
  const { run, unit } = frame
  const root = unit.root ?? unit
  if (root.answered && root === unit) leave(frame, run.router.send(held.definition, lateSend(held)))
  else {
    const to = root.answered ? unit : root
    to.next ??= []
    to.next.push(held)
  }
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

/** What was made after its unit's answer leaves the sandbox, but stays with this function, since its own may not exist. */
function lateSend(held: Held) {
  return { ...held.send(), deadline: Number.MAX_SAFE_INTEGER }
}

/** A unit's end: deliver its outcome, see what it leaves behind held outside, run that here, and so on. */
async function answer(frame: Frame, result: Outcome, deliver: Deliver): Promise<void> {
  const { run, unit } = frame
  try {
    let outcome = result
    if (unit.left) outcome = await Promise.all(unit.left).then(() => outcome, failure)
    if (unit.detached && unit.begun?.size) await quiet(unit)
    unit.answered = true
    const { failed: failures = none, held: waiting = none } = unit
    const left = [...waiting, ...failures, ...(unit.begun ?? none)]
    const next = unit.next?.map((held) => held.send()) ?? none
    const { lease } = run
    if (lease && (left.length > 0 || next.length > 0 || lease.spread || lease.runs > 1)) lease.mirror()
    const accepted = deliver(
      outcome,
      left.map((held) => held.send()),
      [...next],
    )
    if (left.length === 0) {
      if (lease && next.length > 0) run.router.keepOwn(lease, next, run.open === 1)
      return
    }
    unit.handover = Promise.resolve(accepted).then((ids) => new Set(ids))
    const known = await unit.handover
    if (lease && next.length > 0) run.router.keepOwn(lease, next, false)
    for (const held of failures) if (held.failed) void run.port.settled(held.id, held.failed, [], [])
    for (const held of waiting) if (!known.has(held.id)) begin(run, held, undefined)
  } catch (error) {
    // The platform could not take what is left: it told the caller so, and nothing of it was accepted.
    const message = `work after the reply was not accepted: ${error instanceof Error ? error.message : String(error)}`
    const { session } = run.request
    run.router.log({ level: 'error', task: frame.definition.name, session, message, time: Date.now() })
  } finally {
    run.close()
  }
}

/** Resolves when all that the unit has begun is over, or has been under way for long. */
function quiet(unit: Unit): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LINGER_MS)
    unit.onQuiet = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

/** Runs it. @param root the unit that answers for it; none when it is held outside */
function begin(run: Run, held: Held, root: Unit | undefined): void {
  const unit = new Unit(held, 1, true)
  unit.root = root
  held.unit = unit
  if (root) {
    root.begun ??= new Set()
    root.begun.add(held)
  }
  const { definition, span } = held
  const { timeout } = definition.options
  const limitMs = timeout ?? run.router.info.timeoutMs
  const frame = new Frame(run, unit, undefined, 0, definition, span, Date.now() + limitMs)
  run.open++
  // In a turn of its own: whoever put goes on first, and a chain of triggers is no chain of stack frames.
  if (root && timeout === undefined)
    void soon.then(() => execute(frame, held)).then((end) => conclude(frame, held, end))
  else
    void frame
      .limit(() => execute(frame, held), limitMs)
      .then(
        (end) => conclude(frame, held, end),
        (error) => conclude(frame, held, failure(error)),
      )
}

/** What runs inside an unanswered unit ends without a word if it succeeds; all else is told outside. */
function conclude(frame: Frame, held: Held, outcome: Outcome): unknown {
  const { run, unit } = frame
  const { root } = unit
  if (root === undefined) return answer(frame, outcome, deliverTo(run, held))
  if (root.answered) return concludeLate(frame, held, outcome, root)
  root.begun?.delete(held)
  if (!outcome.ok) {
    held.failed = outcome
    root.failed ??= []
    root.failed.push(held)
  } else if (unit.held) for (const next of unit.held) begin(run, next, root)
  if (unit.left) root.left = [...(root.left ?? none), ...unit.left]
  if (root.onQuiet && root.begun?.size === 0) root.onQuiet()
  run.close()
  return undefined
}

/** Its root was answered meanwhile: it is held outside by now, or as soon as the platform has it. */
async function concludeLate(frame: Frame, held: Held, outcome: Outcome, root: Unit): Promise<void> {
  try {
    await root.handover
  } catch {
    frame.run.close()
    return
  }
  frame.unit.root = undefined
  await answer(frame, outcome, deliverTo(frame.run, held))
}

function deliverTo(run: Run, held: Held): Deliver {
  return (outcome, left, next) => run.port.settled(held.id, outcome, left, next)
}

/** Runs the task of held work; its output is nobody's, but it must be one that could travel. */
function execute(frame: Frame, held: Held): Promise<Outcome> {
  const { run, definition, span } = frame
  run.spans.restart(span)
  const { check } = run.router
  let running: unknown
  let checkInput: (() => void) | undefined
  try {
    const input = held.begin()
    checkInput = check.input(definition.name, input)
    running = current.run(frame, bodyOf(definition), input, frame)
  } catch (error) {
    running = Promise.reject(error)
  }
  const promise = running instanceof Promise ? running : Promise.resolve(running)
  return promise.then(
    (output) => {
      try {
        checkInput?.()
        check.output(definition.name, output)
        copy(output)
      } catch (error) {
        return failed(frame, error)
      }
      frame.over(true)
      run.spans.close(span, output === undefined ? 0 : copiedBytes)
      return done
    },
    (error) => failed(frame, error),
  )
}

const done: Outcome = { ok: true, output: undefined }

function failed(frame: Frame, error: unknown): Outcome {
  frame.over(false)
  frame.run.spans.fail(frame.span, error)
  return failure(error)
}

async function outcomeOf(frame: Frame, input: Payload, external: boolean): Promise<Outcome> {
  const { run, definition, span } = frame
  const { check } = run.router
  try {
    let value = isDelivery(input) ? await delivered(run, input) : run.router.input(input)
    if (external && definition.options.input) value = await validate(definition.options.input, value, definition.name)
    const checkInput = check.input(definition.name, value)
    const output = await current.run(frame, bodyOf(definition), value, frame)
    checkInput?.()
    check.output(definition.name, output)
    const payload = encode(output)
    frame.over(true)
    run.spans.close(span, sizeOf(payload))
    return { ok: true, output: payload }
  } catch (error) {
    return failed(frame, error)
  }
}

/** The input of a run that a trigger started. */
async function delivered(run: Run, input: string): Promise<unknown> {
  const { head, input: value } = await decodeDelivery(input, ({ ref }) => run.router.object(ref))
  run.fired = { ...head.fired, waitMs: performance.timeOrigin + run.spans.origin - head.at }
  return value
}

export function failure(error: unknown): Outcome {
  return { ok: false, error: errorToWire(error) }
}

function bodyOf(definition: TaskDefinition): NonNullable<TaskDefinition['body']> {
  if (definition.body) return definition.body
  throw new FusionizeError('UNKNOWN_TASK', `the code of task '${definition.name}' is not in this function`)
}
