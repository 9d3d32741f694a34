import { shardFor } from '#leasing'
import type { SourcePromise } from '../bucket.js'
import type { BucketDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import { spanId } from '../record.js'
import { putIdOf } from '../triggers/put-id.js'
import { dataOf, frameData } from './bucket-data.js'
import { decodeDelivery, isDelivery } from './delivery.js'
import { current, type Frame } from './frames.js'
import type { BucketOp, Payload } from './protocol.js'
import { putId } from './put.js'
import { leave } from './run.js'
import { stoppable } from './sources.js'
import { clock } from './spans.js'
import { checkSize, isLarge } from './stored.js'
import { transportOf } from './surroundings.js'
import { decode, encode, sizeOf } from './wire.js'
import { errorFromWire } from './wire-errors.js'

/** `bucket.put` inside a task. Without `async`: a promise of its own is a tenth of what a put in the same sandbox costs. */
export function put(b: BucketDefinition, key: string, value: unknown, group?: string): Promise<void> {
  const at = clock()
  try {
    const frame = frameFor(b, 'put')
    checkKey(b, key)
    const ordinal = frameData(frame).nextPut()
    const shard = shardFor(frame, b)
    if (shard === undefined) return putElsewhere(frame, b, key, value, group, ordinal, at)
    shard.put(frame, key, value, group, ordinal, at)
    return counted
  } catch (error) {
    return Promise.reject(error)
  }
}

const counted = /* @__PURE__ */ Promise.resolve()

/** `bucket.get` inside a task. */
export async function get(b: BucketDefinition, key: string): Promise<unknown> {
  const frame = frameFor(b, 'get')
  checkKey(b, key)
  const shard = shardFor(frame, b)
  if (shard) {
    const found = shard.get(frame.session, key)
    // Whoever asks until it is there must let what puts it run.
    if (found === undefined) await new Promise((resolve) => setImmediate(resolve))
    return found
  }
  const found = await ask(frame, { bucket: b.name, session: frame.session, op: 'get', key })
  if (!isDelivery(found)) return decode(found)
  // Too large to travel in an answer.
  const { input } = await decodeDelivery(found, ({ ref }) => transportOf(frame.run.router).object(ref))
  return (input as { value: unknown }).value
}

/** `bucket.source` inside a task. */
export function source(b: BucketDefinition, name: string): void {
  const frame = frameFor(b, 'source')
  if (typeof name !== 'string' || name === '')
    throw invalid(`bucket '${b.name}': a source is named ${JSON.stringify(name)}; give a text that is not empty`)
  const op = { bucket: b.name, session: frame.session, source: name }
  const tell = (kind: 'sourceDone' | 'sourceFailed') => {
    const shard = shardFor(frame, b)
    if (shard) shard.tellSource(frame, kind, name)
    else leave(frame, ask(frame, { ...op, op: kind }))
  }
  stoppable(frame)
  const { invocation } = frame
  const shard = shardFor(frame, b)
  if (shard) shard.nameSource(frame, name, invocation)
  else leave(frame, ask(frame, { ...op, op: 'source', invocation }))
  frameData(frame).nameSource(b.name, name, tell)
}

/** `bucket.expect` of keys or sources inside a task. */
export async function declare(
  b: BucketDefinition,
  what: readonly string[] | { sources?: readonly string[] },
): Promise<void> {
  const frame = frameFor(b, 'expect')
  const keys = Array.isArray(what) ? (what as readonly string[]) : undefined
  const list = keys ?? (what as { sources?: unknown }).sources
  if (!Array.isArray(list) || list.some((name) => typeof name !== 'string' || name === ''))
    throw invalid(`bucket '${b.name}': expect takes a list of keys, or { sources: […] }; each a text that is not empty`)
  const repeated = list.find((name, i) => list.indexOf(name) !== i)
  if (repeated !== undefined) throw invalid(`bucket '${b.name}': '${repeated}' is expected twice; name each once`)
  const id = putIdOf(frame.invocation, frameData(frame).nextPut())
  const declared = keys ? { keys: [...keys] } : { sources: [...(list as string[])] }
  const shard = shardFor(frame, b)
  if (shard) shard.declare(frame, id, declared)
  else await ask(frame, { bucket: b.name, session: frame.session, op: 'declare', id, ...declared })
}

/** `bucket.expect` of a task inside a task. */
export async function promise(b: BucketDefinition, what: SourcePromise): Promise<void> {
  const frame = frameFor(b, 'expect')
  const { key, from, within, attempts = 3, rerun = 'source' } = what
  checkKey(b, key)
  if (typeof from?.taskName !== 'string')
    throw invalid(`bucket '${b.name}': expect({ key: '${key}' }) needs the task that puts it: from: thatTask`)
  if (!(within > 0 && Number.isFinite(within)))
    throw invalid(`bucket '${b.name}': within is ${within}; give the ms until the task is run again, above 0`)
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw invalid(`bucket '${b.name}': attempts is ${attempts}; give a whole number of runs, 1 or more`)
  const op = { op: 'promise', key, from: from.taskName, withinMs: within, attempts, rerun } as const
  await ask(frame, { bucket: b.name, session: frame.session, ...op })
}

function frameFor(b: BucketDefinition, what: string): Frame {
  const frame = current.getStore()
  if (frame) return frame
  throw new FusionizeError(
    'UNSUPPORTED',
    `bucket '${b.name}': ${what} belongs to a session, so it works inside a task only; call a task that does it`,
  )
}

function checkKey(b: BucketDefinition, key: unknown): void {
  if (typeof key !== 'string' || key === '' || key.length > 1024)
    throw invalid(
      `bucket '${b.name}': a key is ${typeof key === 'string' ? `${key.length} characters long` : JSON.stringify(key)}; give a text of 1 to 1024 characters`,
    )
}

function invalid(message: string): FusionizeError {
  return new FusionizeError('INVALID_CONFIG', message)
}

async function ask(frame: Frame, op: BucketOp): Promise<Payload> {
  const { run } = frame
  if (run.lease) run.lease.spread = true
  run.open++
  try {
    const outcome = await transportOf(run.router).bucket(op)
    if (!outcome.ok) throw errorFromWire(outcome.error, frame.definition.name)
    return outcome.output
  } finally {
    run.closeCall()
  }
}

async function putElsewhere(
  frame: Frame,
  b: BucketDefinition,
  key: string,
  value: unknown,
  group: string | undefined,
  ordinal: number,
  at: number,
): Promise<void> {
  const { run, session } = frame
  const large = isLarge(value)
  if (large) checkSize(b, key, value)
  const payload = large ? transportOf(run.router).share(value) : encode(value)
  dataOf(run).put(frame.span, b.name, large ? value.byteLength : sizeOf(payload as Payload))
  await ask(frame, {
    bucket: b.name,
    session,
    op: 'put',
    key,
    id: putId(frame, key, ordinal),
    ...(group !== undefined && { group }),
    source: frameData(frame).sourceOf(b.name),
    at: performance.timeOrigin + at,
    value: payload,
    trace: run.request.trace,
    parent: spanId(run.spanId, frame.span),
  })
}
