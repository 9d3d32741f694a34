import type { FusionSetup, TaskName } from 'fusionize/setup'
import type { Profile } from '../profile/types.js'
import { meanOf } from '../statistics/distribution.js'
import type { Proposal, Round, Strategy } from '../types.js'
import { remote } from './reference.js'

/** Sizes of the published sweep, MB. */
const SWEEP = [128, 768, 1024, 1536, 1650, 2048]

/**
 * Fusionize as published (PAPERS §1, BASELINES): from all-remote, one edge per step in alphabetical order until every synchronous call
 * is inline and every asynchronous one remote; then a sweep, each step setting all functions to the next size; then each function takes
 * its cheapest (mean duration × MB, no fees). The setup adopted is the one with the lowest median.
 */
export const published: Strategy = {
  name: 'published',
  source: 'Fusionize (IC2E 2022, TCC 2024), as in BASELINES',
  first: (context, memory) => remote.first(context, memory),
  next(history) {
    const last = history.at(-1)
    if (!last) return null
    const swept = history.filter((round) => sameRoutes(round.setup, last.setup))
    const edge = nextEdge(last)
    if (edge && swept.length === 1) return inlined(last.setup, edge)
    if (swept.some((round) => round.summary.startsWith('cheapest'))) return null
    const memory = SWEEP.find((size) => !swept.some((round) => allAt(round.setup, size)))
    return memory === undefined ? cheapest(swept) : sweepStep(last.setup, memory)
  },
  adopt: (history) =>
    history.reduce<Round | undefined>(
      (best, round) => (best && best.measurement.p50Ms.value <= round.measurement.p50Ms.value ? best : round),
      undefined,
    ),
}

interface Edge {
  host: TaskName
  to: TaskName
}

/** The alphabetically first synchronous call that was seen to leave its function. */
function nextEdge({ profile, setup }: Round): Edge | undefined {
  const edges: Edge[] = []
  for (const { from, to, mode, route } of Object.values(profile.edges)) {
    if (mode === 'send' || route === 'inline') continue
    for (const host of hostsOf(profile, setup, from))
      if (!setup.functions[host]?.inline[mode].includes(to)) edges.push({ host, to })
  }
  return edges.sort((a, b) => (`${a.host} ${a.to}` < `${b.host} ${b.to}` ? -1 : 1))[0]
}

/** Functions in which a task ran: its own, and those that inline it. */
function hostsOf(profile: Profile, setup: FusionSetup, task: TaskName): TaskName[] {
  const used = new Set(Object.values(profile.functions).map((f) => f.function))
  return [...used].filter((fn) => fn === task || setup.functions[fn]?.inline.call.includes(task))
}

function inlined(setup: FusionSetup, { host, to }: Edge): Proposal {
  const spec = setup.functions[host]
  if (!spec) return { setup, reasons: [], summary: 'no change' }
  const add = (list: TaskName[]) => [...new Set([...list, to])].sort()
  const inline = { ...spec.inline, call: add(spec.inline.call), map: add(spec.inline.map) }
  return {
    setup: { functions: { ...setup.functions, [host]: { ...spec, inline } } },
    reasons: [{ change: `${host} calls ${to} inline`, why: 'a synchronous call becomes local (one edge per step)' }],
    summary: `${host} → ${to} inline`,
  }
}

function sweepStep(setup: FusionSetup, memory: number): Proposal {
  return {
    setup: withMemory(setup, () => memory),
    reasons: [{ change: `all functions ${memory} MB`, why: 'next size of the published sweep' }],
    summary: `sweep: ${memory} MB`,
  }
}

/** Each function at the size at which its mean duration × MB was least. */
function cheapest(swept: readonly Round[]): Proposal | null {
  const last = swept.at(-1)
  if (!last) return null
  const reasons: Proposal['reasons'] = []
  const setup = withMemory(last.setup, (fn, present) => {
    const sizes = swept.flatMap(({ profile }) => Object.values(profile.functions).filter((f) => f.function === fn))
    if (sizes.length === 0) return present
    const price = (f: (typeof sizes)[number]) => meanOf(f.replyMs) * f.memory
    const best = sizes.reduce((a, b) => (price(b) < price(a) ? b : a))
    reasons.push({
      change: `${fn} ${best.memory} MB`,
      why: `cheapest: ${meanOf(best.replyMs).toFixed(0)} ms × MB is least`,
    })
    return best.memory
  })
  return { setup, reasons, summary: 'cheapest size of each function' }
}

function withMemory(setup: FusionSetup, memoryOf: (fn: TaskName, present: number) => number): FusionSetup {
  const functions = Object.entries(setup.functions).map(([fn, spec]) => [
    fn,
    { ...spec, memory: memoryOf(fn, spec.memory) },
  ])
  return { functions: Object.fromEntries(functions) }
}

function allAt(setup: FusionSetup, memory: number): boolean {
  return Object.values(setup.functions).every((spec) => spec.memory === memory)
}

function sameRoutes(a: FusionSetup, b: FusionSetup): boolean {
  const routes = (setup: FusionSetup) =>
    JSON.stringify(
      Object.entries(setup.functions)
        .sort()
        .map(([fn, s]) => [fn, s.inline]),
    )
  return routes(a) === routes(b)
}
