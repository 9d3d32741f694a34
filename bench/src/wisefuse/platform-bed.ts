import { createReader, type Evidence, evenly, type LoadedApp } from '@fusionize/cli/control'
import type { PlannerFacts, Round } from '@fusionize/planner'
import type { Platform } from '@fusionize/platform'
import { type App, type FusionSetup, setupId } from 'fusionize/setup'
import { labOf } from '../load/setups.js'
import type { Bed } from './find-setups.js'

/** Sandboxes of a probe are new, and new code is slow: long enough for most of it to be compiled. */
const WARM_UP_SECONDS = 8

export interface PlatformBed extends Bed {
  /** As `probe`, with all that was recorded. */
  record(label: string, setup: FusionSetup): Promise<{ round: Round; evidence: Evidence }>
}

/** Tries setups on a platform. @param load of one probe */
export function platformBed(
  loaded: LoadedApp,
  app: App,
  platform: Platform,
  facts: PlannerFacts,
  load: { requests: number; rps: number },
  progress: (text: string) => void,
): PlatformBed {
  const { requests, rps } = load
  const warmUpSeconds = Math.min(WARM_UP_SECONDS, (2 * requests) / rps)
  const { lab } = labOf(loaded, app, platform, { rps, warmUpSeconds, forceCold: false, progress })
  const read = createReader(facts)
  const record = async (label: string, setup: FusionSetup) => {
    progress(`${loaded.name}: probe of ${label}`)
    await lab.serve(setup)
    const evidence = await lab.measure(evenly(requests, rps), 0)
    const reading = read(evidence)
    const { errors } = reading.measurement
    if (errors > 0) throw new Error(`${errors} of ${requests} requests to ${label} failed: ${firstError(evidence)}`)
    return { round: { id: setupId(setup), setup, strategy: label, reasons: [], summary: label, ...reading }, evidence }
  }
  return {
    name: loaded.name,
    memory: loaded.config.memory,
    context: { app, facts, constraints: loaded.config.constraints },
    progress,
    record,
    probe: async (label, setup) => (await record(label, setup)).round,
  }
}

function firstError({ samples }: Evidence): string {
  return samples.find(({ error }) => error !== undefined)?.error ?? 'see the log'
}
