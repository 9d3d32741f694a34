import type { Evidence, Lab } from '@fusionize/cli/control'
import type { Platform } from '@fusionize/platform'
import type { FusionSetup } from 'fusionize/setup'

/** Keeps the sandboxes of a setup that has no turn: one session in so many is its. */
const ALIVE = 1e-9

export interface Load {
  /** Ms from the start. */
  arrivals: number[]
  /** Number of the first request; equal numbers are equal requests. */
  firstIndex: number
}

export interface SideBySideOptions {
  platform: Pick<Platform, 'traffic'>
  /** Measures what is served, without a warm-up. */
  lab: Lab
  /** What comes before the first slice of a setup. */
  warmUp: Load
  /** Takes away what earlier requests left: equal requests are then equal work. */
  clear(): void
}

/** Setups that are deployed at the same time, in sandboxes of their own: each has its slices of requests while the others wait. */
export interface SideBySide {
  slice(setup: FusionSetup, load: Load): Promise<Evidence>
}

/**
 * Deploys the setups, each in new sandboxes, and warms them up one after the other.
 * @param before another setup, to which traffic goes first: what still runs of these setups ends
 */
export async function deploySideBySide(
  before: FusionSetup,
  setups: readonly FusionSetup[],
  { platform, lab, warmUp, clear }: SideBySideOptions,
): Promise<SideBySide> {
  await lab.serve(before)
  const ids = new Map<FusionSetup, string>()
  for (const setup of setups) ids.set(setup, await lab.serve(setup))
  const slice = async (setup: FusionSetup, { arrivals, firstIndex }: Load): Promise<Evidence> => {
    const chosen = ids.get(setup)
    await platform.traffic(Object.fromEntries([...ids.values()].map((id) => [id, id === chosen ? 1 : ALIVE])))
    clear()
    return lab.measure(arrivals, firstIndex)
  }
  if (warmUp.arrivals.length > 0) for (const setup of setups) await slice(setup, warmUp)
  return { slice }
}
