import { effectiveSetup, type FusionSetup, reachableFunctions, setupsEqual } from 'fusionize/setup'
import { minimizeText } from '../../goals.js'
import type { Proposal, Reason, Round, Strategy, StrategyContext } from '../../types.js'
import { nearest } from '../memory.js'
import { remote } from '../reference.js'
import { isDisturbed } from './disturbed.js'
import { evidenceOf } from './evidence.js'
import { type Outlook, outlooks } from './outlook.js'
import { digits, pathSetup } from './routes.js'
import { bestSizes, sizesFor, uniformStarts } from './sizes.js'

/** Deployed setups after the first, at most. */
const MAX_STEPS = 3
/** What a refit must promise to be worth another deployment: if a size moves by more than one step of the ladder, and if by one. */
const WORTHWHILE = { far: 0.02, near: 0.04 }
/** The size of the second run, as a share of a core: far from where the fit is steep, not yet where it is flat. */
const PROBE = 0.6
/** The two sizes of a fit differ at least by this factor. */
const APART = 2

/**
 * Fusionize's final path setup in one step, from one profile; then memory by a + b/MB through the sizes measured, the entry included.
 * Step 1 deploys the path at a second size, which also gives every task its second point; step 2 the sizes that the fit finds best; step 3,
 * only if three sizes contradict the fit, those: a refit moves a size by more than one step of the ladder and promises 2%, or promises 4%.
 */
export const closure: Strategy = {
  name: 'closure',
  source: 'Fusionize (PAPERS §1), improved: docs/decisions/010-closure.md',
  first: (context, memory) => remote.first(context, memory),
  next(history, context) {
    const [start, path] = history
    if (!start || history.length > MAX_STEPS) return null
    if (!path) return pathStep(start, context)
    return context.facts.cpuShareEnforced ? sizeStep(history, context) : null
  },
}

function pathStep(start: Round, context: StrategyContext): Proposal | null {
  const { facts, app } = context
  const evidence = evidenceOf([start], facts.mbPerCore)
  const sizeBefore = (fn: string) => start.setup.functions[fn]?.memory ?? facts.memoryLadder[0] ?? 128
  const probe = probeSize(start, context)
  const { setup, reasons } = pathSetup(context, evidence, start, facts.cpuShareEnforced ? () => probe : sizeBefore)
  if (facts.cpuShareEnforced) {
    for (const fn of reachableFunctions(app, setup)) {
      const spec = setup.functions[fn]
      if (spec) spec.memory = nearest(sizesFor(context, evidence, setup, fn), probe) ?? spec.memory
    }
    reasons.push({
      change: `all functions at ${probe} MB, or next to it`,
      why: `a second size beside ${sizesIn(start)} MB, so that a + b/MB can be fitted to every task: one size predicts nothing`,
    })
  } else
    reasons.push({
      change: 'memory stays',
      why: 'CPU shares are not enforced here: a size would change nothing that could be measured',
    })
  return sameEffect(context, setup, start.setup)
    ? null
    : { setup, reasons, summary: 'path: all calls inline, sends where the goal is served' }
}

/** The ladder's size next to 0.6 cores, or the one far enough from the first run's sizes. */
function probeSize(start: Round, { app, facts }: StrategyContext): number {
  const first = Math.max(...reachableFunctions(app, start.setup).map((fn) => start.setup.functions[fn]?.memory ?? 0))
  const wanted = PROBE * facts.mbPerCore
  const far = facts.memoryLadder.filter((size) => size >= APART * first || size <= first / APART)
  return nearest(far.length > 0 ? far : facts.memoryLadder, wanted) ?? first
}

function sizeStep(history: readonly Round[], context: StrategyContext): Proposal | null {
  const [start] = history as [Round, ...Round[]]
  const last = history.at(-1) as Round
  const sound = history.filter((round) => !isDisturbed(context, start, round))
  const evidence = evidenceOf(sound, context.facts.mbPerCore)
  const outlook = outlooks(context, evidence, sound.at(-1) as Round)
  const starts = [last.setup, ...uniformStarts(context, evidence, last.setup)]
  const setup = bestSizes(context, evidence, starts, outlook)
  if (history.some((round) => sameEffect(context, round.setup, setup))) return null
  const refit = history.length > 2
  const gain = 1 - outlook(setup).score / outlook(last.setup).score
  if (refit && gain < (movedFar(context, last.setup, setup) ? WORTHWHILE.far : WORTHWHILE.near)) return null
  return {
    setup,
    reasons: [
      ...disturbances(history, sound),
      ...sizeReasons(context, sound.map(sizesIn), last.setup, setup, outlook(setup)),
    ],
    summary: refit ? 'sizes fitted again: the measured ones contradicted the fit' : 'sizes fitted to those measured',
  }
}

function disturbances(history: readonly Round[], sound: readonly Round[]): Reason[] {
  return history
    .filter((round) => !sound.includes(round))
    .map((round) => ({
      change: `times at ${sizesIn(round)} MB left out`,
      why: 'the same work took longer than with less memory, so the machine was busy with something else; measure again when it is idle',
    }))
}

/** Whether a size moved by more than one step of the ladder. */
function movedFar({ app, facts }: StrategyContext, before: FusionSetup, after: FusionSetup): boolean {
  const step = (setup: FusionSetup, fn: string) => facts.memoryLadder.indexOf(setup.functions[fn]?.memory ?? 0)
  return reachableFunctions(app, after).some((fn) => Math.abs(step(before, fn) - step(after, fn)) > 1)
}

function sizeReasons(
  { app, goal }: StrategyContext,
  measured: readonly string[],
  before: FusionSetup,
  after: FusionSetup,
  { prediction, p50Ms, costPerMillionUsd }: Outlook,
): Reason[] {
  const whole = `${digits(p50Ms)} ms and $${digits(costPerMillionUsd)} per million predicted for the whole`
  return reachableFunctions(app, after).map((fn) => {
    const [old, memory] = [before.functions[fn]?.memory, after.functions[fn]?.memory]
    const f = prediction.functions[fn]
    const own = f ? `${digits(f.wallMs / f.invocations)} ms billed per run, ` : ''
    return {
      change: old === memory ? `${fn} stays at ${memory} MB` : `${fn}: memory ${old} → ${memory} MB`,
      why: `best for the goal (${minimizeText(goal.minimize)}) by a + b/MB through ${measured.join(' and ')} MB: ${own}${whole}`,
    }
  })
}

function sizesIn({ profile }: Round): string {
  const sizes = [...new Set(Object.values(profile.functions).map((f) => f.memory))].sort((a, b) => a - b)
  return sizes.join(', ')
}

function sameEffect({ app }: StrategyContext, a: FusionSetup, b: FusionSetup): boolean {
  return setupsEqual(effectiveSetup(app, a), effectiveSetup(app, b))
}
