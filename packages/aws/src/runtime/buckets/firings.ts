import {
  type BucketDefinition,
  type Deliverable,
  type Delivery,
  encodeDelivery,
  shapeOf,
  sizeOf,
} from 'fusionize/buckets'
import type { HeldSend } from 'fusionize/runtime'
import type { Cause } from './changes.js'

/** A firing as the invocation that it becomes. @param newTrace for one that begins a session of its own */
export function sendOf(
  { name, triggers }: Pick<BucketDefinition, 'name' | 'triggers'>,
  { firing, values }: Delivery<Deliverable>,
  cause: Cause,
  setup: string,
  newTrace: () => string,
): HeldSend {
  const { id, trigger, objects, scope, incomplete, task } = firing
  const spec = triggers[trigger]?.spec
  if (spec === undefined) throw new Error(`bucket '${name}' has no trigger ${trigger}`)
  const own = scope === '' || incomplete
  const bytes = values.reduce<number>((sum, value) => sum + sizeOf(value), 0)
  const fired = { bucket: name, trigger, id, objects: objects.length, bytes }
  const input = encodeDelivery({ fired, at: cause.at, ...shapeOf(spec, incomplete) }, objects, values)
  const { trace, parent } = own ? { trace: newTrace(), parent: '' } : cause
  return { id, session: own ? id : scope, function: task, task, input, trace, parent, setup }
}

/** Whether the bucket's objects of all sessions meet in one state. */
export function isShared({ triggers }: Pick<BucketDefinition, 'triggers'>): boolean {
  return triggers.some(({ spec }) => spec.kind === 'byTime' || ('scope' in spec && spec.scope === 'application'))
}
