/** For platforms: buckets as a platform evaluates and delivers them. */
export { type BucketDefinition, bucketOf } from './definition.js'
export {
  type Deliverable,
  encodeDelivery,
  isDelivery,
  isRef,
  refsIn,
  shapeOf,
} from './runtime/delivery.js'
export type { ObjectRef } from './runtime/protocol.js'
export type { BucketState } from './triggers/bucket-state.js'
export { closeSession, isClosed, noClosedSessions } from './triggers/closed-sessions.js'
export { type Delivery, flushesAtEnd, isFusible, Shard, type Stepped } from './triggers/shard.js'
export { changeShard, type ShardChange, sizeOf } from './triggers/shard-change.js'
export type { BucketEvent, Firing, ObjectMeta, StepResult } from './triggers/types.js'
