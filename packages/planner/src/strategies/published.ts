import { type FusionSetup, setupsEqual, type TaskName, validate } from 'fusionize/setup'
import type { Profile } from '../profile/types.js'
import { meanOf } from '../statistics/distribution.js'
import type { Proposal, Reason, Round, Strategy, StrategyContext } from '../types.js'
import { atMemory, moveIntoBounds, nearest, withMemory } from './memory.js'
import { remote } from './reference.js'

/** Sizes of the published sweep, MB; a platform without one of them gets its nearest. */
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
  next(history, context) {
    const last = history.at(-1)
    if (!last) return null
    const swept = history.filter((round) => sameRoutes(round.setup, last.setup))
    const step = swept.length === 1 ? nextEdge(last, context) : undefined
    if (step) return step
    const sizes = sweepOf(last.setup, context)
    const tested = (setup: FusionSetup) => swept.find((round) => setupsEqual(round.setup, setup))
    const untested = sizes.find(({ setup }) => !tested(setup))
    if (untested) return sweepStep(untested)
    const rounds = sizes.flatMap(({ setup }) => tested(setup) ?? [])
    const proposal = cheapest(rounds)
    return tested(proposal.setup) ? null : proposal
  },
  adopt: (history) =>
    history.reduce<Round | undefined>(
      (best, round) => (best && best.measurement.p50Ms.value <= round.measurement.p50Ms.value ? best : round),
      undefined,
    ),
}

/** The alphabetically first synchronous call that was seen to leave its function, made inline there. */
function nextEdge({ profile, setup }: Round, { app, constraints, facts }: StrategyContext): Proposal | undefined {
  const edges: [host: TaskName, to: TaskName][] = []
  for (const { from, to, mode, route } of Object.values(profile.edges)) {
    if (mode === 'send' || route === 'inline') continue
    for (const host of hostsOf(profile, setup, from))
      if (!setup.functions[host]?.inline[mode].includes(to)) edges.push([host, to])
  }
  const named = edges.map(([host, to]) => ({ host, to, key: `${host} ${to}` }))
  for (const { host, to } of named.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const inlined = moveIntoBounds(app, constraints, facts.memoryLadder, withInline(setup, host, to))
    if (validate(app, inlined, constraints, facts).length > 0) continue
    return {
      setup: inlined,
      reasons: [{ change: `${host} calls ${to} inline`, why: 'a synchronous call becomes local (one edge per step)' }],
      summary: `path: ${host} → ${to} inline`,
    }
  }
  return undefined
}

/** Functions in which a task ran: its own, and those that inline it. */
function hostsOf(profile: Profile, setup: FusionSetup, task: TaskName): TaskName[] {
  const used = new Set(Object.values(profile.functions).map((f) => f.function))
  return [...used].filter((fn) => fn === task || setup.functions[fn]?.inline.call.includes(task))
}

function withInline(setup: FusionSetup, host: TaskName, to: TaskName): FusionSetup {
  const spec = setup.functions[host]
  if (!spec) return setup
  const add = (list: TaskName[]) => [...new Set([...list, to])].sort()
  const inline = { ...spec.inline, call: add(spec.inline.call), map: add(spec.inline.map) }
  return { functions: { ...setup.functions, [host]: { ...spec, inline } } }
}

interface SweepSize {
  memory: number
  setup: FusionSetup
}

function sweepOf(setup: FusionSetup, { app, constraints, facts }: StrategyContext): SweepSize[] {
  const sizes = new Set(SWEEP.map((size) => nearest(facts.memoryLadder, size) ?? size))
  return [...sizes].map((memory) => ({
    memory,
    setup: moveIntoBounds(app, constraints, facts.memoryLadder, atMemory(setup, memory)),
  }))
}

function sweepStep({ memory, setup }: SweepSize): Proposal {
  return {
    setup,
    reasons: [{ change: `all functions at ${memory} MB`, why: 'next size of the published sweep' }],
    summary: `sweep: ${memory} MB`,
  }
}

/** Each function at the size of the sweep at which its mean duration × MB was least. */
function cheapest(swept: readonly Round[]): Proposal {
  const [first] = swept as [Round, ...Round[]]
  const reasons: Reason[] = []
  let { setup } = first
  for (const fn of Object.keys(setup.functions)) {
    const sizes = swept.flatMap(({ profile }) => Object.values(profile.functions).filter((f) => f.function === fn))
    if (sizes.length === 0) continue
    const price = (f: (typeof sizes)[number]) => meanOf(f.replyMs) * f.memory
    const best = sizes.reduce((a, b) => (price(b) < price(a) ? b : a))
    setup = withMemory(setup, fn, best.memory)
    reasons.push({ change: `${fn} at ${best.memory} MB`, why: `${meanOf(best.replyMs).toFixed(0)} ms × MB is least` })
  }
  return { setup, reasons, summary: 'cheapest size of each function' }
}

function sameRoutes(a: FusionSetup, b: FusionSetup): boolean {
  return setupsEqual(atMemory(a, 128), atMemory(b, 128))
}
