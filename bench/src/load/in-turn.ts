import type { Evidence, LoadedApp } from '@fusionize/cli/control'
import { measure, type PlannerFacts } from '@fusionize/planner'
import type { Facts, Platform } from '@fusionize/platform'
import { type App, type FusionSetup, printSetup, setupId } from 'fusionize/setup'
import { ownCpuMs } from '../lib/cpu.js'
import { labOf } from './setups.js'
import { startUpsOf } from './start-ups.js'

/** What a setup left behind: the evidence of its blocks, in their order, and the CPU ms that all of them took, client and platform included. */
export interface Served {
  evidence: Evidence[]
  cpuMs: number
}

export interface TurnOptions<Name extends string> {
  setups: Readonly<Record<Name, FusionSetup>>
  /** Intended arrivals of a block, ms. */
  plan: number[]
  blocks: number
  lab: { rps: number; warmUpSeconds: number; forceCold: boolean }
  /** Number of the first request that a setup gets in a block; equal numbers are equal requests. @param turn place of the setup in the block */
  firstRequest(block: number, turn: number): number
  progress(text: string): void
}

/**
 * Puts setups of an application under the same open-loop load on one platform, block by block in turn, so that a change of the machine's mood
 * meets all of them.
 */
export async function serveInTurn<Name extends string>(
  loaded: LoadedApp,
  app: App,
  platform: Platform,
  options: TurnOptions<Name>,
): Promise<Record<Name, Served>> {
  const { setups, plan, blocks, firstRequest, progress } = options
  const { lab } = labOf(loaded, app, platform, { ...options.lab, progress })
  const names = Object.keys(setups) as Name[]
  const served = Object.fromEntries(names.map((name) => [name, { evidence: [], cpuMs: 0 }])) as unknown as Record<
    Name,
    Served
  >
  for (let block = 0; block < blocks; block++)
    for (const [turn, name] of names.entries()) {
      progress(`${name}: block ${block + 1} of ${blocks}`)
      await lab.serve(setups[name])
      const before = ownCpuMs()
      served[name].evidence.push(await lab.measure(plan, firstRequest(block, turn)))
      served[name].cpuMs += ownCpuMs() - before
    }
  return served
}

/** What stands beside the latencies of a setup: what it is, what it costs (METRICS), what it started. */
export function figuresOf(app: App, setup: FusionSetup, evidence: Evidence, facts: Facts & PlannerFacts) {
  const figures = measure(evidence.samples, evidence.records, facts)
  return {
    setup: setupId(setup),
    notation: printSetup(setup, app),
    requests: figures.requests,
    errors: figures.errors,
    p50Interval: [figures.p50Ms.low, figures.p50Ms.high],
    costPerMillionUsd: figures.costPerMillionUsd?.value ?? null,
    cost: figures.cost,
    startUps: startUpsOf(evidence.records, figures.requests),
    doubleBillingShare: figures.doubleBillingShare,
    invocationsPerRequest: figures.invocationsPerRequest,
    machineBusy: evidence.machineBusy,
    emulate: facts.emulate ?? null,
  }
}
