import type { TaskDefinition } from '../definition.js'
import { spanId } from '../record.js'
import { bundleId, decodeList, encodeList, itemsIn } from './bundle.js'
import { inlineCall, spanCode } from './calls.js'
import { childId, Frame, type Run } from './frames.js'
import { inOrder } from './in-order.js'
import type { Pool } from './pool/pool.js'
import type { Outcome, Payload } from './protocol.js'
import { answer, failure, outcomeOf } from './run.js'
import { decode, encode, sizeOf } from './wire.js'
import { errorFromWire } from './wire-errors.js'

/*
 * Maps that are more than one call per item. A bundle takes several items to another function in one invocation; there each is a run of
 * its own, as if it had come alone: id, copy, deadline, error and span. Where a function has a pool (`pool/`), items may run there.
 */

/** Bytes of a bundle's inputs beyond which it takes no further item: one invocation must hold them all. */
const MAX_BUNDLE_BYTES = 2 ** 25

/** What a function knows of maps besides one run per item: the build puts it into those that need it. */
export interface Maps {
  /** @returns undefined when one run per item, here or elsewhere, is all there is to it */
  map(
    frame: Frame,
    definition: TaskDefinition,
    inputs: readonly unknown[],
    inline: boolean,
  ): Promise<unknown[]> | undefined
  /** Runs the invocation if it is a bundle. */
  start(run: Run, definition: TaskDefinition): boolean
}

/** One item of a map where it runs. */
interface Item {
  /** Place among the calls of the map's caller. */
  readonly place: number
  readonly input: Payload
}

/**
 * How one item runs: on the event loop unless a pool says otherwise. Never rejects.
 * @param limitMs its time limit, from its start
 * @param over called when nothing of it runs any more, which may be long after its time
 */
export type RunItem = (frame: Frame, input: Payload, limitMs: number | undefined, over: () => void) => Promise<Outcome>

export const maps: Maps = {
  map(frame, definition, inputs, inline) {
    const { router } = frame.run
    const { pool } = router
    if (inline) return pool?.takes(definition, inputs.length) ? mapHere(frame, definition, inputs, pool) : undefined
    const size = Object.hasOwn(router.bundle, definition.name) ? (router.bundle[definition.name] as number) : 1
    return size > 1 && inputs.length > 1 ? mapBundled(frame, definition, inputs, size) : undefined
  },
  start(run, definition) {
    const { id, mode, external } = run.request
    const items = external || mode !== 'call' ? 0 : itemsIn(id)
    if (items > 0) startBundle(run, definition, items)
    return items > 0
  },
}

// — in the caller —

function mapBundled(
  frame: Frame,
  definition: TaskDefinition,
  inputs: readonly unknown[],
  size: number,
): Promise<unknown[]> {
  const chunks: Promise<unknown[]>[] = []
  let inputsOf: Payload[] = []
  let bytes = 0
  const leave = () => {
    if (inputsOf.length > 0) chunks.push(callBundle(frame, definition, inputsOf))
    inputsOf = []
    bytes = 0
  }
  for (const input of inputs) {
    let payload: Payload
    try {
      payload = encode(input)
    } catch (error) {
      leave()
      chunks.push(Promise.reject(error))
      continue
    }
    inputsOf.push(payload)
    bytes += sizeOf(payload)
    if (inputsOf.length === size || bytes > MAX_BUNDLE_BYTES) leave()
  }
  leave()
  return inOrder(chunks).then((results) => results.flat())
}

/** The outputs of the items in one bundle, or the error of the first that failed. */
async function callBundle(frame: Frame, definition: TaskDefinition, inputs: readonly Payload[]): Promise<unknown[]> {
  const { run } = frame
  const { router, spans } = run
  const name = router.link(definition).name
  const items = inputs.map((input) => ({
    span: spans.open(frame.span, name, spanCode.mapRemote, sizeOf(input)),
    place: frame.nextPlace(),
  }))
  const { span, place } = items[0] as (typeof items)[number]
  let outcome: Outcome
  run.open++
  try {
    if (run.lease) run.lease.spread = true
    outcome = await router.call(
      definition,
      {
        id: bundleId(childId(frame.invocation, place), inputs.length),
        session: frame.session,
        task: definition.name,
        input: encodeList([frame.invocation, String(place), ...inputs]),
        deadline: frame.deadline,
        trace: run.request.trace,
        parent: spanId(run.spanId, span),
        setup: router.info.setup,
      },
      frame.signal,
    )
    if (!outcome.ok) throw errorFromWire(outcome.error, frame.definition.name)
  } catch (error) {
    for (const item of items) spans.fail(item.span, error)
    throw error
  } finally {
    run.closeCall()
  }
  return outputsOf(frame, items, outcome.output)
}

function outputsOf(frame: Frame, items: readonly { span: number }[], output: Payload): unknown[] {
  const { spans } = frame.run
  const [fates, ...parts] = decodeList(output)
  let failed: { error: unknown } | undefined
  const outputs = items.map(({ span }, i) => {
    const part = parts[i]
    if ((fates as string)[i] === '1') {
      spans.close(span, sizeOf(part))
      return failed ? undefined : decode(part)
    }
    const error = errorFromWire(JSON.parse(part as string), frame.definition.name)
    spans.fail(span, error)
    failed ??= { error }
    return undefined
  })
  if (failed) throw failed.error
  return outputs
}

// — where items run —

/** An inline map of a task whose items may run in this function's pool. */
function mapHere(frame: Frame, definition: TaskDefinition, inputs: readonly unknown[], pool: Pool): Promise<unknown[]> {
  const { timeout } = definition.options
  return inOrder(
    pool.run<unknown>(
      definition.name,
      inputs.length,
      (i) => inlineCall(frame, definition, inputs[i], spanCode.map),
      (i) => {
        const payload = encode(inputs[i])
        // What waits for its turn must not change meanwhile.
        const input = typeof payload === 'object' ? new Uint8Array(payload) : payload
        const begin = beginLater(frame, definition, { input, place: frame.nextPlace() }, timeout)
        return async (runOne) => {
          const outcome = await begin(runOne)
          if (!outcome.ok) throw errorFromWire(outcome.error, frame.definition.name)
          return decode(outcome.output)
        }
      },
    ),
  )
}

/** Runs the items of a bundle and answers when all are over. */
function startBundle(run: Run, definition: TaskDefinition, count: number): void {
  const { request, router, unit } = run
  const [of, first, ...inputs] = decodeList(request.input)
  run.items = count
  // Stands for the caller: ids of items are those that they would have alone.
  const caller = new Frame(run, unit, undefined, 0, definition, -1, request.deadline)
  caller.id = of as string
  run.open++
  const before = run.spans.sampled ? process.cpuUsage() : undefined
  const items = inputs.map((input, i): Item => ({ input, place: Number(first) + i }))
  const limitMs = definition.options.timeout ?? router.info.timeoutMs
  void Promise.all(runItems(caller, definition, items, limitMs)).then((outcomes) => {
    if (before) {
      const { user, system } = process.cpuUsage(before)
      run.cpuMs = (user + system) / 1000
    }
    const fates = outcomes.map(({ ok }) => (ok ? '1' : '0')).join('')
    const parts = outcomes.map((outcome) => (outcome.ok ? outcome.output : JSON.stringify(outcome.error)))
    return answer(caller, { ok: true, output: encodeList([fates, ...parts]) }, (final, held, next) => {
      run.replied = run.spans.now()
      return run.port.reply(final, held, next)
    })
  })
}

/** Runs items as children of the frame: all at once on the event loop, or as the pool has it. */
function runItems(
  parent: Frame,
  definition: TaskDefinition,
  items: readonly Item[],
  limitMs: number,
): Promise<Outcome>[] {
  const { pool } = parent.run.router
  const later = (i: number) => beginLater(parent, definition, items[i] as Item, limitMs)
  const here = (i: number) => later(i)(onLoop)
  return pool?.takes(definition, items.length)
    ? pool.run(definition.name, items.length, here, later)
    : items.map((_, i) => here(i))
}

/** Counts an item as under way. @returns what begins it */
function beginLater(
  parent: Frame,
  definition: TaskDefinition,
  { input, place }: Item,
  limitMs: number | undefined,
): (runOne: RunItem) => Promise<Outcome> {
  const { run, unit } = parent
  run.open++
  return (runOne) => {
    const deadline = limitMs === undefined ? undefined : Math.min(parent.deadline, Date.now() + limitMs)
    const span = run.spans.open(parent.span, run.router.link(definition).name, spanCode.map, sizeOf(input))
    const frame = new Frame(run, unit, parent, place, definition, span, deadline)
    return runOne(frame, input, limitMs, () => run.closeCall())
  }
}

/** Runs an item in this thread. */
export const onLoop: RunItem = (frame, input, limitMs, over) => {
  const running = () => outcomeOf(frame, input, !frame.parent && frame.run.request.external).finally(over)
  return limitMs === undefined ? running() : frame.limit(running, limitMs).catch(failure)
}
