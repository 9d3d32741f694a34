import type { UsageProfile } from '@fusionize/aws'
import { callGraph, mergeProfiles } from '@fusionize/planner'
import { readHistories } from '../control/history.js'

/** How the application behaved in the last run of `optimize` that measured anything, for estimates of its cost. */
export async function lastUsage(stateDir: string): Promise<UsageProfile | undefined> {
  for (const { rounds } of await readHistories(stateDir)) {
    const measured = rounds.filter(({ profile }) => profile.requests > 0)
    if (measured.length === 0) continue
    const profile = measured.map((round) => round.profile).reduce(mergeProfiles)
    const { edges, nodes } = callGraph(profile)
    return {
      source: `${profile.requests} requests of the last run of optimize`,
      callsPerRun: Object.fromEntries(
        edges.map(({ callsPerRun, from, mode, to }) => [`${from} ${mode} ${to}`, callsPerRun]),
      ),
      ownMs: Object.fromEntries(nodes.map(({ ownMs, task }) => [task, ownMs])),
    }
  }
  return undefined
}
