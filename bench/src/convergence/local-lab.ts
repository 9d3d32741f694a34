import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Bench,
  createReader,
  evenly,
  type Lab,
  type LoadedApp,
  loadApp,
  openOwnPlatform,
} from '@fusionize/cli/control'
import type { Goal, PlannerFacts } from '@fusionize/planner'
import type { Facts } from '@fusionize/platform'
import type { FusionSetup } from 'fusionize/setup'
import type { BenchContext } from '../harness.js'
import { emulationOf } from '../load/compare.js'
import { labOf } from '../load/setups.js'
import { deploySideBySide, type Load, type SideBySide } from '../load/side-by-side.js'

/** New sandboxes take the machine for some seconds. */
const WARM_UP_SECONDS = 2.5
/** Numbers of the warm-up's requests: others than those of any load. */
const WARM_UP_FROM = 3_000_000

/** An example application under its steady load, on a platform of its own. */
export interface LocalBench extends Bench {
  loaded: LoadedApp
  facts: Facts & PlannerFacts
  rps: number
  /** Deploys the setups in new sandboxes, to be measured in slices. @param before another setup, deployed first */
  sideBySide(before: FusionSetup, setups: readonly FusionSetup[]): Promise<SideBySide>
  close(): Promise<void>
}

/**
 * @param own instead of what is configured
 * @throws {Error} when the application's profile `steady` is none
 */
export async function openLocalBench(
  name: string,
  requests: number,
  { options, progress }: Pick<BenchContext, 'options' | 'progress'>,
  own: { goal?: Goal; rps?: number } = {},
): Promise<LocalBench> {
  const store = mkdtempSync(join(tmpdir(), 'fusionize-bench-store-'))
  // The configurations of the examples read it: what an earlier load left there must not save a later one work.
  const variable = `${name.toUpperCase()}_STORE`
  process.env[variable] = store
  const loaded = await loadApp(fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)))
  const { steady } = loaded.config.load.profiles
  if (steady.kind !== 'steady') throw new Error(`the profile 'steady' of '${name}' is none`)
  const rps = own.rps ?? steady.rps
  const app = await loaded.scan()
  const { platform, close } = await openOwnPlatform(loaded, emulationOf(options.emulate))
  const { lab, watcher, meter } = labOf(loaded, app, platform, {
    rps,
    warmUpSeconds: 0,
    forceCold: false,
    progress,
  })
  const facts = platform.facts()
  const clear = () => {
    for (const name of readdirSync(store)) rmSync(join(store, name), { recursive: true, force: true })
  }
  const warmUp = {
    arrivals: options.quick === undefined ? evenly(Math.round(rps * WARM_UP_SECONDS), rps) : [],
    firstIndex: WARM_UP_FROM,
  }
  return {
    loaded,
    facts,
    rps,
    lab: freshLab(lab, warmUp, clear),
    sideBySide: (before, setups) => deploySideBySide(before, setups, { platform, lab, warmUp, clear }),
    watcher,
    meter,
    context: { app, facts, goal: own.goal ?? loaded.config.goal, constraints: loaded.config.constraints },
    read: createReader(facts),
    arrivals: evenly(requests, rps),
    async close() {
      await close()
      delete process.env[variable]
      rmSync(store, { recursive: true, force: true })
    },
  }
}

/** Every load begins with an empty store, so that equal requests are equal work in every setup, and is warmed up by requests of its own. */
function freshLab(lab: Lab, warmUp: Load, clear: () => void): Lab {
  return {
    ...lab,
    async measure(arrivals, firstIndex) {
      clear()
      if (warmUp.arrivals.length > 0) await lab.measure(warmUp.arrivals, warmUp.firstIndex)
      return lab.measure(arrivals, firstIndex)
    },
  }
}
