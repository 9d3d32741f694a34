export {
  type Bucket,
  type BucketObject,
  bucket,
  type Delivered,
  type PutOptions,
  type SourcePromise,
  sharedBytes,
} from './bucket.js'
export * from './config.js'
export type { TaskBody, TaskOptions } from './definition.js'
export { type ErrorCode, FusionizeError, noResultError, timeoutError } from './errors.js'
export type { Context, Log } from './runtime/frames.js'
export { suggest } from './suggest.js'
export { type Task, task } from './task.js'
export * from './triggers.js'
export type { Json, StandardSchema } from './types.js'
