export {
  type BatchOptions,
  byBatchSize,
  byName,
  bySet,
  byTime,
  type CustomOptions,
  custom,
  dynamicGroup,
  dynamicJoin,
  type GatheringOptions,
  type GroupOptions,
  immediate,
  type RedundantOptions,
  redundant,
  type TriggerOptions,
  type WindowOptions,
} from './triggers/constructors.js'
export type { CustomResult, CustomStep, CustomTrigger, Trigger } from './triggers/custom.js'
export type { BucketEvent, ObjectMeta, TriggerScope, TriggerSpec } from './triggers/types.js'
