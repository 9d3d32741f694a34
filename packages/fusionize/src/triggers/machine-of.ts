import { FusionizeError } from '../errors.js'
import { byBatchSizeMachine } from './by-batch-size.js'
import { bySetMachine } from './by-set.js'
import { byTimeMachine } from './by-time.js'
import { customMachine, type Trigger } from './custom.js'
import { dynamicGroupMachine } from './dynamic-group.js'
import { dynamicJoinMachine } from './dynamic-join.js'
import { byNameMachine, immediateMachine } from './immediate.js'
import type { TriggerMachine } from './machine.js'
import { redundantMachine } from './redundant.js'

/**
 * The machine of a trigger; what it calls its state is its own affair.
 * @throws {FusionizeError} `INVALID_CONFIG` when a custom trigger comes without its code
 */
export function machineOf(spec: Trigger, checkPurity: boolean): TriggerMachine<unknown> {
  return typed(spec, checkPurity) as TriggerMachine<unknown>
}

function typed(spec: Trigger, checkPurity: boolean) {
  switch (spec.kind) {
    case 'immediate':
      return immediateMachine
    case 'byName':
      return byNameMachine(spec)
    case 'bySet':
      return bySetMachine(spec)
    case 'byBatchSize':
      return byBatchSizeMachine(spec)
    case 'byTime':
      return byTimeMachine(spec)
    case 'redundant':
      return redundantMachine(spec)
    case 'dynamicJoin':
      return dynamicJoinMachine(spec)
    case 'dynamicGroup':
      return dynamicGroupMachine(spec)
    case 'custom':
      if (typeof spec.step === 'function') return customMachine(spec, checkPurity)
      throw new FusionizeError(
        'INVALID_CONFIG',
        `custom trigger '${spec.name}' came without its code, as JSON carries none; pass what custom() returned`,
      )
  }
}

/** What a saved state depends on. Sizes of batches, waiting times and tasks may change between deployments. */
export function shapeOf(spec: Trigger): string {
  switch (spec.kind) {
    case 'bySet':
      return `bySet(${JSON.stringify(spec.keys)})`
    case 'byTime':
      return `byTime(${spec.ms})`
    case 'redundant':
      return `redundant(${spec.k}, ${spec.n})`
    case 'byBatchSize':
    case 'dynamicGroup':
      return `${spec.kind}(scope ${spec.scope})`
    case 'custom':
      return `custom('${spec.name}', scope ${spec.scope})`
    default:
      return spec.kind
  }
}
