import { FusionizeError } from '../errors.js'
import { suggest } from '../suggest.js'
import type { Json } from '../types.js'
import type { CustomResult, CustomTrigger } from './custom.js'
import type {
  BucketEvent,
  ByBatchSizeSpec,
  ByNameSpec,
  BySetSpec,
  ByTimeSpec,
  Delivers,
  DynamicGroupSpec,
  DynamicJoinSpec,
  ImmediateSpec,
  RedundantSpec,
  TriggerScope,
} from './types.js'

/** Options of every trigger. */
export interface TriggerOptions<D extends Delivers = Delivers> {
  /** What the task gets: the objects, or only their keys, to read itself. @default 'objects' */
  delivers?: D
}

/** Options of triggers that may be incomplete when a session ends. */
export interface GatheringOptions<D extends Delivers = Delivers> extends TriggerOptions<D> {
  /** The task that then gets what there is, or its name. @default none: it is recorded as discarded */
  onIncomplete?: string | { readonly taskName: string }
}

/** Options of `byBatchSize`. */
export interface BatchOptions<D extends Delivers = Delivers> extends GatheringOptions<D> {
  /** Whose objects make a batch. @default 'application' */
  scope?: TriggerScope
  /** Time after which the oldest object goes out in a batch that is not full, ms. @default for ever */
  maxWaitMs?: number
  /** Fires what is left at the end: of the session, or for application scope of the application. @default false */
  flush?: boolean
}

/** Options of `byTime`. */
export interface WindowOptions<D extends Delivers = Delivers> extends TriggerOptions<D> {
  /** Fires at the end of windows without objects too. @default false */
  empty?: boolean
}

/** Options of `redundant`. */
export interface RedundantOptions<D extends Delivers = Delivers> extends GatheringOptions<D> {
  /** Aborts the sources of the objects that are not needed. @default false */
  cancel?: boolean
}

/** Options of `dynamicGroup`. */
export interface GroupOptions<D extends Delivers = Delivers> extends GatheringOptions<D> {
  /** Whose objects make a group. @default 'session' */
  scope?: TriggerScope
}

/** A custom trigger; `onIncomplete` needs session scope. */
export interface CustomOptions<S extends Json> extends GatheringOptions {
  scope: TriggerScope
  /** The state before the first event; JSON. */
  initial: S
  /** Pure: (state, event, epoch ms) → what to do. It must not change its arguments. */
  step: (state: Widened<S>, event: BucketEvent, nowMs: number) => CustomResult<Widened<S>>
}

/** An `initial` of 0 makes the state a number, not for ever 0. */
type Widened<S extends Json> = S extends number ? number : S extends string ? string : S extends boolean ? boolean : S

/**
 * Fires for every new object (Pheromone, NSDI 2023, §3: Immediate).
 * @throws {FusionizeError} `INVALID_CONFIG` for an unknown option
 */
export function immediate<D extends Delivers = 'objects'>(options: TriggerOptions<D> = {}): ImmediateSpec<D> {
  checkOptions('immediate', options, [])
  return { kind: 'immediate', ...common(options) }
}

/**
 * Fires for every new object with this key (Pheromone, §3: ByName).
 * @throws {FusionizeError} `INVALID_CONFIG` for an empty key or an unknown option
 */
export function byName<D extends Delivers = 'objects'>(key: string, options: TriggerOptions<D> = {}): ByNameSpec<D> {
  checkOptions('byName', options, [])
  checkName('byName', 'key', key)
  return { kind: 'byName', key, ...common(options) }
}

/**
 * Fires when an object is there for every key of the set, in this order (Pheromone, §3: BySet).
 * @throws {FusionizeError} `INVALID_CONFIG` for an empty set, a repeated or empty key, or an unknown option
 */
export function bySet<D extends Delivers = 'objects'>(
  keys: readonly string[],
  options: GatheringOptions<D> = {},
): BySetSpec<D> {
  checkOptions('bySet', options, ['onIncomplete'])
  if (keys.length === 0) throw invalid('bySet', 'the set has no keys; name at least one')
  for (const key of keys) checkName('bySet', 'key', key)
  const repeated = keys.find((key, i) => keys.indexOf(key) !== i)
  if (repeated !== undefined) throw invalid('bySet', `key '${repeated}' is there twice; name each key once`)
  return { kind: 'bySet', keys: [...keys], ...common(options) }
}

/**
 * Fires with every `n` objects, oldest first (Pheromone, §3: ByBatchSize).
 * @param n objects in a batch, 1 or more
 * @throws {FusionizeError} `INVALID_CONFIG` for `n` below 1, a `maxWaitMs` that is not positive, `onIncomplete` where nothing can be
 *   incomplete, or an unknown option
 */
export function byBatchSize<D extends Delivers = 'objects'>(
  n: number,
  options: BatchOptions<D> = {},
): ByBatchSizeSpec<D> {
  checkOptions('byBatchSize', options, ['scope', 'maxWaitMs', 'flush', 'onIncomplete'])
  checkCount('byBatchSize', 'n', n)
  const { scope = 'application', maxWaitMs, flush } = options
  checkScope('byBatchSize', scope)
  checkIncomplete('byBatchSize', scope, options)
  if (maxWaitMs !== undefined) checkDuration('byBatchSize', 'maxWaitMs', maxWaitMs)
  if (flush && options.onIncomplete !== undefined)
    throw invalid('byBatchSize', 'flush leaves nothing for onIncomplete; choose one of them')
  return {
    kind: 'byBatchSize',
    n,
    scope,
    ...(maxWaitMs !== undefined && { maxWaitMs }),
    ...(flush && { flush }),
    ...common(options),
  }
}

/**
 * Fires at the end of every window of `ms` milliseconds with the objects that arrived in it, from all sessions (Pheromone, §3: ByTime).
 * @param ms length of a window, whole ms; windows lie at its multiples since the epoch
 * @throws {FusionizeError} `INVALID_CONFIG` for a length that is not positive, or an unknown option
 */
export function byTime<D extends Delivers = 'objects'>(ms: number, options: WindowOptions<D> = {}): ByTimeSpec<D> {
  checkOptions('byTime', options, ['empty'])
  checkDuration('byTime', 'ms', ms)
  return { kind: 'byTime', ms, ...(options.empty && { empty: true }), ...common(options) }
}

/**
 * Fires with the first `k` of `n` objects, in order of arrival (Pheromone, §3: Redundant).
 * @param k objects needed, 1 or more
 * @param n objects that will come, `k` or more
 * @throws {FusionizeError} `INVALID_CONFIG` for `k` below 1 or above `n`, or an unknown option
 */
export function redundant<D extends Delivers = 'objects'>(
  k: number,
  n: number,
  options: RedundantOptions<D> = {},
): RedundantSpec<D> {
  checkOptions('redundant', options, ['cancel', 'onIncomplete'])
  checkCount('redundant', 'k', k)
  checkCount('redundant', 'n', n)
  if (k > n) throw invalid('redundant', `k is ${k} and n is ${n}, but k of n needs k ≤ n; k comes first`)
  return { kind: 'redundant', k, n, ...(options.cancel && { cancel: true }), ...common(options) }
}

/**
 * Fires when all keys are there that the session has declared, in the declared order (Pheromone, §3: DynamicJoin).
 * @throws {FusionizeError} `INVALID_CONFIG` for an unknown option
 */
export function dynamicJoin<D extends Delivers = 'objects'>(options: GatheringOptions<D> = {}): DynamicJoinSpec<D> {
  checkOptions('dynamicJoin', options, ['onIncomplete'])
  return { kind: 'dynamicJoin', ...common(options) }
}

/**
 * Fires once for every group of objects when all declared sources are done (Pheromone, §3: DynamicGroup).
 * @throws {FusionizeError} `INVALID_CONFIG` for `onIncomplete` with application scope, or an unknown option
 */
export function dynamicGroup<D extends Delivers = 'objects'>(options: GroupOptions<D> = {}): DynamicGroupSpec<D> {
  checkOptions('dynamicGroup', options, ['scope', 'onIncomplete'])
  const { scope = 'session' } = options
  checkScope('dynamicGroup', scope)
  checkIncomplete('dynamicGroup', scope, options)
  return { kind: 'dynamicGroup', scope, ...common(options) }
}

/**
 * Fires as your own code says.
 * @param name tells its saved state from that of other triggers
 * @throws {FusionizeError} `INVALID_CONFIG` for an empty name, a step that is no function, an initial state that is not JSON,
 *   `onIncomplete` with application scope, or an unknown option
 * @example
 * custom('every-second', {
 *   scope: 'session',
 *   initial: 0,
 *   step: (count, event) =>
 *     event.kind !== 'put' ? { state: count }
 *     : count % 2 ? { state: count + 1, fire: [{ objects: [event.object] }] }
 *     : { state: count + 1, close: [event.object] },
 * })
 */
export function custom<S extends Json>(name: string, options: CustomOptions<S>): CustomTrigger {
  checkOptions('custom', options, ['scope', 'initial', 'step', 'onIncomplete'])
  checkName('custom', 'name', name)
  const { scope, initial, step } = options
  checkScope('custom', scope)
  checkIncomplete('custom', scope, options)
  if (typeof step !== 'function') throw invalid('custom', `'${name}' has no step; give (state, event) => ({ state })`)
  if (JSON.stringify(initial) === undefined)
    throw invalid('custom', `'${name}' has no initial state that JSON can carry; give null if it needs none`)
  return { kind: 'custom', name, scope, initial, step: step as unknown as CustomTrigger['step'], ...common(options) }
}

function common<D extends Delivers>({ delivers, onIncomplete }: GatheringOptions<D>) {
  const spec: { delivers: D; onIncomplete?: string } = { delivers: delivers ?? ('objects' as D) }
  if (onIncomplete === undefined) return spec
  spec.onIncomplete = typeof onIncomplete === 'string' ? onIncomplete : onIncomplete.taskName
  // Not JSON, so not part of the spec that is saved; a bucket finds the task's code here.
  if (typeof onIncomplete !== 'string')
    Object.defineProperty(spec, incompleteTask, { value: onIncomplete, enumerable: true })
  return spec
}

/** Where a trigger keeps the task that it was given as `onIncomplete`. */
export const incompleteTask = Symbol('onIncomplete')

function checkOptions(trigger: string, options: object, own: string[]): void {
  const names = [...own, 'delivers']
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name))
      throw invalid(trigger, `unknown option '${name}'${suggest(name, names)}; options are ${names.join(', ')}`)
    if (name === 'delivers' && value !== undefined && value !== 'objects' && value !== 'keys')
      throw invalid(trigger, `delivers is ${JSON.stringify(value)}; use 'objects' or 'keys'`)
    if (name === 'onIncomplete' && value !== undefined)
      checkName(trigger, 'onIncomplete', (value as { taskName?: unknown } | null)?.taskName ?? value)
    if (['flush', 'empty', 'cancel'].includes(name) && value !== undefined && typeof value !== 'boolean')
      throw invalid(trigger, `${name} is ${JSON.stringify(value)}; use true or false`)
  }
}

function checkName(trigger: string, what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '')
    throw invalid(trigger, `${what} is ${JSON.stringify(name)}; give a text that is not empty`)
}

function checkCount(trigger: string, what: string, count: unknown): void {
  if (!Number.isSafeInteger(count) || (count as number) < 1)
    throw invalid(trigger, `${what} is ${String(count)}; give a whole number of objects, 1 or more`)
}

function checkDuration(trigger: string, what: string, ms: unknown): void {
  if (!Number.isSafeInteger(ms) || (ms as number) < 1)
    throw invalid(trigger, `${what} is ${String(ms)}; give a whole number of milliseconds, 1 or more`)
}

function checkScope(trigger: string, scope: unknown): void {
  if (scope !== 'session' && scope !== 'application')
    throw invalid(trigger, `scope is ${JSON.stringify(scope)}; use 'session' or 'application'`)
}

function checkIncomplete(trigger: string, scope: TriggerScope, { onIncomplete }: GatheringOptions): void {
  if (onIncomplete !== undefined && scope === 'application')
    throw invalid(
      trigger,
      "onIncomplete needs scope 'session': the end of a session leaves an application's objects in place",
    )
}

function invalid(trigger: string, message: string): FusionizeError {
  return new FusionizeError('INVALID_CONFIG', `${trigger}(): ${message}`)
}
