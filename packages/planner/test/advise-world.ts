import { type Advice, createAdvisor, type Measurement, measure } from '@fusionize/planner'
import { formatRecord } from 'fusionize/record'
import { type FusionSetup, type Mode, remoteSetup } from 'fusionize/setup'
import { importText } from './import-text.js'
import { type LoadOptions, simulate } from './simulate.js'
import type { World } from './world.js'

export interface Checked {
  advice: Advice
  now: Measurement
  /** The setup that was advised, run on its own. */
  fused: Measurement
  setup: FusionSetup
}

/** Runs a world with everything remote, asks for advice from its record lines alone, and runs what is advised. */
export function checkAdvice(world: World, memory: number, load: LoadOptions): Checked {
  const remote = remoteSetup(world.app, memory)
  const before = simulate(world, remote, load)
  const { skipped, traces } = importText({ records: before.records.map(formatRecord).join('\n') })
  if (skipped.length > 0) throw new Error(skipped[0]?.why)
  const advisor = createAdvisor({ facts: world.facts, cpu: 'even' })
  for (const trace of traces) advisor.add(trace)
  const advice = advisor.advice()
  const setup = fusedSetup(advice, remote)
  const after = simulate(world, setup, { ...load, seed: (load.seed ?? 1) + 1 })
  return {
    advice,
    now: measure(before.samples, before.records, world.facts),
    fused: measure(after.samples, after.records, world.facts),
    setup,
  }
}

function fusedSetup({ edges, groups }: Advice, remote: FusionSetup): FusionSetup {
  const setup: FusionSetup = { functions: {} }
  for (const [name, spec] of Object.entries(remote.functions)) {
    const members = groups.find(({ host }) => host === name)?.members ?? []
    const inline = (mode: Mode) =>
      [
        ...new Set(
          edges
            .filter((edge) => edge.verdict === 'fuse' && edge.mode === mode && members.includes(edge.from))
            .map(({ to }) => to),
        ),
      ].sort()
    setup.functions[name] = { ...spec, inline: { call: inline('call'), send: [], map: inline('map') } }
  }
  return setup
}
