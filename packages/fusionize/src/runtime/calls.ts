import type { TaskBody, TaskDefinition } from '../definition.js'
import { fingerprint } from '../fingerprint.js'
import { spanId } from '../record.js'
import { type DevCheck, noCheck } from './dev.js'
import { childId, current, Frame } from './frames.js'
import { inOrder } from './in-order.js'
import type { Outbound, Payload } from './protocol.js'
import { copiedBytes, copy, decode, encode, sizeOf } from './wire.js'
import { errorFromWire, errorToWire } from './wire-errors.js'

/** Mode and route as spans carry them: mode × 2 + remote. */
export const spanCode = { call: 0, callRemote: 1, send: 2, sendRemote: 3, map: 4, mapRemote: 5 }

/** `await t(input)` inside a function. */
export function call(frame: Frame, definition: TaskDefinition, input: unknown): Promise<unknown> {
  const route = frame.run.router.link(definition).call
  return route === 'inline'
    ? inlineCall(frame, definition, input, spanCode.call)
    : route === 'remote'
      ? remoteCall(frame, definition, input, spanCode.callRemote)
      : route(frame, definition, input)
}

/** `await t.map(inputs)` inside a function. */
export function map(frame: Frame, definition: TaskDefinition, inputs: readonly unknown[]): Promise<unknown[]> {
  const { router } = frame.run
  const inline = router.link(definition).map === 'inline'
  const special = router.maps?.map(frame, definition, inputs, inline)
  if (special) return special
  const [one, code] = inline ? [inlineCall, spanCode.map] : [remoteCall, spanCode.mapRemote]
  return inOrder(Array.from(inputs, (input) => one(frame, definition, input, code)))
}

/** `await t.send(input)` inside a function. */
export async function send(frame: Frame, definition: TaskDefinition, input: unknown): Promise<void> {
  const { run } = frame
  const payload = encode(input)
  const link = run.router.link(definition)
  const inline = link.send === 'inline'
  if (inline && !frame.unit.answered) return hold(frame, definition, payload)
  const span = run.spans.open(frame.span, link.name, spanCode.sendRemote, sizeOf(payload))
  run.open++
  try {
    const outbound = outboundOf(frame, definition, payload, span)
    outbound.id = sendId(outbound.id, definition, payload)
    // Too late to be held with the reply: it leaves the sandbox, but stays with this function, since its own may not exist.
    if (inline) outbound.function = run.router.function
    await run.router.send(definition, outbound)
    run.spans.close(span, 0)
  } catch (error) {
    run.spans.fail(span, error)
    throw error
  } finally {
    run.closeCall()
  }
}

/**
 * Runs the task here, in a child frame (WiseFuse and Fusionize call it fused). The boundary is the wire's all the same: the callee
 * gets a copy, the caller gets a copy back, and errors cross as they would from another function.
 */
export function inlineCall(frame: Frame, definition: TaskDefinition, input: unknown, code: number): Promise<unknown> {
  const { run } = frame
  const { timeout } = definition.options
  const link = run.router.link(definition)
  const deadline = timeout === undefined ? undefined : Math.min(frame.deadline, Date.now() + timeout)
  let given: unknown
  try {
    given = copy(input)
  } catch (error) {
    return Promise.reject(error)
  }
  const span = run.spans.open(frame.span, link.name, code, copiedBytes)
  const child = new Frame(run, frame.unit, frame, frame.nextPlace(), definition, span, deadline)
  run.open++
  return timeout === undefined
    ? enter(child, given, link.leaf)
    : child.limit(() => enter(child, given, link.leaf), timeout)
}

/** Entering a frame costs more than all else in an inline call; a task that calls none is never looked for. */
export function enter(frame: Frame, input: unknown, leaf: boolean): Promise<unknown> {
  return leaf ? execute(frame, input) : current.run(frame, execute, frame, input)
}

/** Runs the frame's task to its end and notes it. Written with `then`: an async function would make a promise more. */
function execute(frame: Frame, input: unknown): Promise<unknown> {
  const { check } = frame.run.router
  let output: unknown
  try {
    output =
      check === noCheck
        ? (frame.definition.body as TaskBody<unknown, unknown>)(input, frame)
        : checked(frame, input, check)
  } catch (error) {
    output = Promise.reject(error)
  }
  return (output instanceof Promise ? output : Promise.resolve(output)).then(
    (value) => finish(frame, value),
    (error) => fail(frame, error),
  )
}

function finish(frame: Frame, output: unknown): unknown {
  let result: unknown
  try {
    result = copy(output)
  } catch (error) {
    return fail(frame, error)
  }
  frame.run.spans.close(frame.span, copiedBytes)
  frame.onOver?.(true)
  frame.run.closeCall()
  return result
}

function fail(frame: Frame, error: unknown): never {
  frame.run.spans.fail(frame.span, error)
  frame.onOver?.(false)
  frame.run.closeCall()
  throw errorFromWire(errorToWire(error), frame.parent?.definition.name)
}

async function checked(frame: Frame, input: unknown, check: DevCheck): Promise<unknown> {
  const { name, body } = frame.definition
  const checkInput = check.input(name, input)
  const output = await (body as TaskBody<unknown, unknown>)(input, frame)
  checkInput?.()
  check.output(name, output)
  return output
}

async function remoteCall(frame: Frame, definition: TaskDefinition, input: unknown, code: number): Promise<unknown> {
  const { run } = frame
  const payload = encode(input)
  const span = run.spans.open(frame.span, run.router.link(definition).name, code, sizeOf(payload))
  run.open++
  try {
    const outbound = outboundOf(frame, definition, payload, span)
    const outcome = await run.router.call(definition, outbound, frame.signal)
    if (!outcome.ok) throw errorFromWire(outcome.error, frame.definition.name)
    run.spans.close(span, sizeOf(outcome.output))
    return decode(outcome.output)
  } catch (error) {
    run.spans.fail(span, error)
    throw error
  } finally {
    run.closeCall()
  }
}

/**
 * Keeps an inline send until its unit is answered: nothing of it is accepted before (Promise 2), nothing of it delays the reply
 * (Promise 3).
 */
function hold(frame: Frame, definition: TaskDefinition, input: Payload): void {
  const { run, unit } = frame
  const id = sendId(childId(frame.invocation, frame.nextPlace()), definition, input)
  const span = run.spans.open(frame.span, run.router.link(definition).name, spanCode.send, sizeOf(input))
  unit.held ??= []
  unit.held.push({
    id,
    definition,
    span,
    begin: () => decode(input),
    send: () => ({
      id,
      session: frame.session,
      function: run.router.function,
      task: definition.name,
      input,
      trace: run.request.trace,
      parent: spanId(run.spanId, span),
      setup: run.router.info.setup,
    }),
  })
}

function outboundOf(frame: Frame, definition: TaskDefinition, input: Payload, span: number): Outbound {
  const { run } = frame
  if (run.lease) run.lease.spread = true
  return {
    id: childId(frame.invocation, frame.nextPlace()),
    session: frame.session,
    task: definition.name,
    input,
    deadline: frame.deadline,
    trace: run.request.trace,
    parent: spanId(run.spanId, span),
    setup: run.router.info.setup,
  }
}

/**
 * The id by which the platform tells a send that it knows already. It has the payload in it: should parallel branches of a retried
 * caller send in another order, ids differ and work is done twice rather than never.
 */
function sendId(place: string, definition: TaskDefinition, input: Payload): string {
  const text = typeof input === 'string' ? input : input === undefined ? '' : Buffer.from(input).toString('latin1')
  return `${place}.${fingerprint(`${definition.name}\n${text}`)}`
}
