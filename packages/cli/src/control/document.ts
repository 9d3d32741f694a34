import type { Estimate, Measurement } from '@fusionize/planner'
import { isIndicative, type Outcome, type Row } from './outcome.js'

/**
 * The one JSON document of `fusionize optimize --json`: plain numbers under the fixed names (null where a figure cannot be measured), intervals
 * and components in fields of their own.
 */
export function toDocument(outcome: Outcome) {
  return {
    app: outcome.app.name,
    platform: outcome.facts.platform,
    emulate: outcome.facts.emulate ?? null,
    goal: outcome.goal,
    setups: outcome.rounds.map(toEntry),
    baselines: outcome.baselines.map(toEntry),
    bestId: outcome.bestId,
    converged: outcome.converged,
    overhead: outcome.overhead,
    strategy: outcome.strategy,
    load: outcome.load,
    durability: outcome.facts.durability,
    cpuShareEnforced: outcome.facts.cpuShareEnforced,
    costReason: outcome.facts.cpuShareEnforced ? null : outcome.facts.cpuShareReason,
    verdict: outcome.verdict,
    emulation: outcome.emulation && {
      medianShare: outcome.emulation.medianShare,
      costShare: outcome.emulation.costShare,
      first: { on: figures(outcome.emulation.first.on), off: figures(outcome.emulation.first.off) },
      adopted: { on: figures(outcome.emulation.adopted.on), off: figures(outcome.emulation.adopted.off) },
    },
    machine: outcome.machine,
    startedAt: outcome.startedAt,
    seconds: outcome.seconds,
  }
}

function toEntry(row: Row) {
  return {
    id: row.id,
    notation: row.notation,
    strategy: row.strategy,
    reason: row.reason,
    ...figures(row.measurement),
    failure: row.failure ?? null,
    machineBusy: row.machineBusy ?? null,
    reasons: row.reasons,
    emulationOff: row.emulationOff ? figures(row.emulationOff) : null,
  }
}

function figures(m: Measurement | null) {
  return {
    requests: m?.requests ?? 0,
    errors: m?.errors ?? 0,
    p50Ms: number(m?.p50Ms),
    p95Ms: number(m?.p95Ms),
    p99Ms: number(m?.p99Ms),
    costPerMillionUsd: number(m?.costPerMillionUsd),
    coldStarts: m?.coldStarts ?? 0,
    invocationsPerRequest: m ? finite(m.invocationsPerRequest) : null,
    p50Interval: interval(m?.p50Ms),
    p95Interval: interval(m?.p95Ms),
    p99Interval: interval(m?.p99Ms),
    costInterval: interval(m?.costPerMillionUsd),
    /** p99 from fewer than 1000 samples. */
    p99Indicative: m ? isIndicative('p99Ms', m.p99Ms) : null,
    cost: m?.cost ?? null,
    invocations: m?.invocations ?? 0,
    doubleBillingShare: m ? finite(m.doubleBillingShare) : null,
  }
}

function number(estimate: Estimate | null | undefined): number | null {
  return estimate ? finite(estimate.value) : null
}

function interval(estimate: Estimate | null | undefined): [number | null, number | null] | null {
  return estimate ? [finite(estimate.low), finite(estimate.high)] : null
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
