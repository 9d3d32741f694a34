import { availableParallelism } from 'node:os'
import type { Evidence } from '@fusionize/cli/control'
import {
  type Behaviour,
  cpuShareOf,
  createMonitor,
  measure,
  type PlannerFacts,
  type RequestSample,
  type Round,
  recordedBehaviour,
  recordedDelays,
  recordedGatewayMs,
  type SimulatedPlatform,
  settledOf,
  simulate,
  spread,
  tracesOfRecords,
} from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import { type FusionSetup, setupId } from 'fusionize/setup'
import type { Bed } from './find-setups.js'
import { frozen } from './frozen.js'

/** Requests of a simulated round that strategies get. */
const KEPT_TRACES = 300
/** Most cores of one sandbox, as on AWS Lambda. */
const CORES_PER_SANDBOX = 6

/** What the profile recorded, on a machine of this many cores. */
export function simulatedBed(
  bed: Bed,
  evidence: Evidence,
  rps: number,
  cores: number,
  requests: number = frozen.requests,
): Bed {
  const facts: PlannerFacts = { ...bed.context.facts, machineCores: cores }
  const cpu = cpuShareOf(facts)
  const { app } = bed.context
  const { samples, records } = settledOf(evidence.samples, evidence.records)
  const nodeCores = bed.context.facts.machineCores ?? availableParallelism()
  const { behaviour } = recordedBehaviour(records, { app, cpu, mbPerCore: facts.mbPerCore, nodeCores })
  const latencies = new Map(
    samples.flatMap(({ session, latencyMs, error }) =>
      session === undefined || error !== undefined ? [] : [[session, latencyMs] as const],
    ),
  )
  const platform: SimulatedPlatform = {
    prices: facts.prices,
    mbPerCore: facts.mbPerCore,
    cpu,
    coresPerSandbox: Math.min(cores, CORES_PER_SANDBOX),
    nodeCores: cores,
    handOver: recordedDelays(records).handOver,
    gatewayMs: recordedGatewayMs(records, latencies),
    // The warm-up starts what is needed.
    startUp: [{ memoryMb: 128, ms: 0 }],
    keepAliveMs: frozen.keepAliveMs,
    waitingIsFree: true,
  }
  return {
    ...bed,
    name: `${bed.name} on ${cores} simulated cores`,
    context: { ...bed.context, facts },
    probe: (label, setup) => roundOf(label, setup, behaviour, platform, facts, { rps, requests }),
  }
}

function roundOf(
  label: string,
  setup: FusionSetup,
  behaviour: Behaviour,
  platform: SimulatedPlatform,
  facts: PlannerFacts,
  { rps, requests }: { rps: number; requests: number },
): Round {
  const { warmUpRequests, seed } = frozen
  const records: InvocationRecord[] = []
  const samples: RequestSample[] = []
  simulate(behaviour, setup, platform, {
    arrivals: { kind: 'steady', rps, requests: requests + warmUpRequests },
    seed,
    warmUpRequests,
    onRecord: (record) => records.push(record),
    onReply: (request, startMs, latencyMs) => {
      // Sessions are counted from 1.
      if (request >= warmUpRequests) samples.push({ startMs, latencyMs, session: `s${request + 1}` })
    },
  })
  const monitor = createMonitor()
  for (const record of records) monitor.add(record)
  return {
    id: setupId(setup),
    setup,
    strategy: label,
    reasons: [],
    summary: label,
    measurement: measure(samples, records, facts),
    profile: monitor.profile(),
    traces: spread(tracesOfRecords(records), KEPT_TRACES),
  }
}
