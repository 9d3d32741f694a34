import { evenly, type Lab } from '@fusionize/cli/control'
import { type RequestSample, seededRandom, simulate } from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import { type FusionSetup, setupId } from 'fusionize/setup'
import type { World } from './world.js'

const WARM_UP_REQUESTS = 40
/** Two loads of one world have seeds this far apart. */
const NEXT_LOAD = 7919

/** A lab whose platform is a simulation: what the loop sees of it is what it sees of any, samples and records. Each load has a chance of its own. */
export function simulatedLab({ behaviour, platform, facts, rps, seed }: World): Lab {
  let serving: FusionSetup | undefined
  let loads = 0
  let requestsSpent = 0
  return {
    facts,
    requestsSpent: () => requestsSpent,
    async serve(setup) {
      serving = setup
      return setupId(setup)
    },
    async measure(arrivals) {
      if (!serving) throw new Error('no setup is being served')
      const warmUp = evenly(WARM_UP_REQUESTS, rps)
      const beginMs = (WARM_UP_REQUESTS * 1000) / rps
      const atMs = [...warmUp, ...arrivals.map((ms) => beginMs + ms)]
      const samples: (RequestSample & { index: number })[] = []
      const records: InvocationRecord[] = []
      simulate(behaviour, serving, platform, {
        arrivals: { kind: 'recorded', atMs },
        warmUpRequests: WARM_UP_REQUESTS,
        seed: seed + NEXT_LOAD * ++loads,
        onRecord: (record) => records.push(record),
        onReply(request, arrivalMs, latencyMs) {
          const index = request - WARM_UP_REQUESTS
          if (index < 0) return
          samples.push({ index, startMs: arrivalMs - beginMs, latencyMs, session: `s${request + 1}` })
        },
      })
      requestsSpent += atMs.length
      samples.sort((a, b) => a.index - b.index)
      return { samples, records }
    },
  }
}

/** Arrivals of a measured load, drawn from the world's seed (Poisson). ms */
export function drawArrivals({ rps, seed }: World, requests: number): number[] {
  const random = seededRandom(seed)
  let at = 0
  return Array.from({ length: requests }, () => {
    at -= (1000 / rps) * Math.log(1 - random())
    return at
  })
}
