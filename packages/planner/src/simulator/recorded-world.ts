import type { InvocationRecord } from 'fusionize/record'
import type { App } from 'fusionize/setup'
import type { PlannerFacts } from '../types.js'
import { recordedBehaviour } from './recorded-behaviour.js'
import { recordedDelays, recordedGatewayMs } from './recorded-platform.js'
import type { Behaviour, CpuShare, SimulatedPlatform } from './types.js'

export interface RecordedWorldOptions {
  app: App
  /** Of the platform that recorded. */
  facts: Pick<PlannerFacts, 'prices' | 'mbPerCore' | 'cpuShareEnforced' | 'cpuQuota' | 'restMs'>
  /** Of its machine: a sandbox sees them all, and all sandboxes share them. */
  cores: number
  keepAliveMs: number
  /** What clients waited, by session. @default nothing beyond the entry's time */
  latencyMs?: ReadonlyMap<string, number>
}

export interface RecordedWorld {
  behaviour: Behaviour
  platform: SimulatedPlatform
  /** Tasks of the app without a run: they do nothing. */
  neverRan: string[]
  /** Delays that the records do not tell, in words: they are 0. */
  unknown: string[]
}

/**
 * An application and the platform on one machine that recorded it, as the simulator needs them: all of it from records and from the platform's facts.
 *
 * @param records without duplicates, in any order
 */
export function recordedWorld(records: readonly InvocationRecord[], options: RecordedWorldOptions): RecordedWorld {
  const { app, facts, cores, keepAliveMs, latencyMs } = options
  const { prices, mbPerCore } = facts
  const cpu = cpuShareOf(facts)
  const { behaviour, neverRan } = recordedBehaviour(records, { app, cpu, mbPerCore, nodeCores: cores })
  const { handOver, startUp, unknown } = recordedDelays(records)
  const platform: SimulatedPlatform = {
    prices,
    mbPerCore,
    cpu,
    coresPerSandbox: cores,
    nodeCores: cores,
    handOver,
    startUp,
    keepAliveMs,
    waitingIsFree: true,
    ...(facts.restMs !== undefined && { restMs: facts.restMs }),
  }
  const gatewayMs = latencyMs && recordedGatewayMs(records, latencyMs)
  return { behaviour, platform: gatewayMs ? { ...platform, gatewayMs } : platform, neverRan, unknown }
}

/** How a platform holds sandboxes to their share of CPU. */
export function cpuShareOf({
  cpuShareEnforced,
  cpuQuota,
}: Pick<PlannerFacts, 'cpuShareEnforced' | 'cpuQuota'>): CpuShare {
  if (!cpuShareEnforced) return { kind: 'none' }
  return cpuQuota ? { kind: 'quota', ...cpuQuota } : { kind: 'even' }
}
