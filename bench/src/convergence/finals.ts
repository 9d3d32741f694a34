import type { Evidence } from '@fusionize/cli/control'
import { type Bench, evenly, pool } from '@fusionize/cli/control'
import { type Estimate, mean } from '@fusionize/planner'
import { type FusionSetup, printSetup } from 'fusionize/setup'
import { effectId } from './neighbours.js'
import { gapOverTurns, objectiveOf, type Requests, requestsOf } from './paired.js'

/** A setup is within so much of the best when the upper end of its gap's 95% interval is below it (METRICS). */
export const WITHIN = 0.02
/** Best and adopted are interleaved at least three times (METRICS); whole turns are the sample, and five are few. */
const LEAST_TURNS = 5
/** A block of fewer requests tells little for the deployment and the warm-up that it costs. */
const LEAST_REQUESTS = 60
/** Loads begin at multiples of it, so that what a customer does one after the other is in one load. */
const MOST_REQUESTS = 180

export interface Finals {
  best: FusionSetup
  turns: number
  /** Requests of each block. */
  requests: number
  /** @returns undefined for one that was no finalist, or failed */
  gapOf(setup: FusionSetup): Estimate | undefined
  evidenceOf(setup: FusionSetup): Evidence | undefined
}

export interface FinalsOptions {
  rps: number
  /** Epoch ms by which the last turn shall be over. The first turns take place all the same. */
  deadline: number
  /** Seconds that a block takes beside its load. */
  blockSeconds: number
  quick: boolean
  progress(text: string): void
}

/**
 * Measures setups anew in turns (a b c, c b a, …), a block of equal requests each; only these blocks count. From the fifth turn on, a setup whose gap is beyond
 * 2% with its whole interval takes no more turns, so that there are more for those that are near. The clock alone decides when it ends.
 */
export async function playFinals(
  { lab, context }: Bench,
  finalists: readonly FusionSetup[],
  options: FinalsOptions,
): Promise<Finals> {
  const { app, goal, facts } = context
  const { rps, deadline, blockSeconds, quick, progress } = options
  const all = finalists.map(
    (setup): Finalist => ({ setup, id: effectId(app, setup), blocks: [], evidence: [], failed: false }),
  )
  const secondsOfBlock = (deadline - Date.now()) / 1000 / (LEAST_TURNS * all.length) - blockSeconds
  const count = quick ? 4 : Math.round(Math.min(MOST_REQUESTS, Math.max(LEAST_REQUESTS, secondsOfBlock * rps)))
  const isTime = (setups: number) => Date.now() + setups * (count / rps + blockSeconds) * 1000 <= deadline
  const gapTo = (best: Finalist, one: Finalist): Estimate => {
    const turns = Math.min(best.blocks.length, one.blocks.length)
    if (one === best) return { value: 0, low: 0, high: 0, n: turns }
    return gapOverTurns(goal, one.blocks.slice(0, turns), best.blocks.slice(0, turns))
  }
  const score = ({ blocks }: Finalist) => mean(blocks.map((block) => Math.log(objectiveOf(goal, block))))
  const bestOf = (some: readonly Finalist[]) => some.reduce((a, b) => (score(b) < score(a) ? b : a))
  let playing = all
  let turns = 0
  for (; turns < LEAST_TURNS || (!quick && playing.length > 1 && isTime(playing.length)); turns++) {
    progress(`finals: turn ${turns + 1}, ${playing.length} setups, ${count} requests each`)
    for (const one of turns % 2 === 1 ? playing.toReversed() : playing) {
      await lab.serve(one.setup)
      const block = await lab.measure(evenly(count, rps), turns * MOST_REQUESTS)
      one.failed ||= block.samples.some(({ error }) => error !== undefined)
      one.evidence.push(block)
      one.blocks.push(requestsOf(block, facts))
      if (one.failed) progress(`${printSetup(one.setup, app)}: out, since requests failed`)
    }
    playing = playing.filter(({ failed }) => !failed)
    if (playing.length === 0) throw new Error(`no setup of '${app.name}' served its requests without errors`)
    if (turns + 1 < LEAST_TURNS) continue
    const best = bestOf(playing)
    playing = playing.filter((one) => gapTo(best, one).low <= WITHIN)
  }
  const best = bestOf(playing)
  const find = (setup: FusionSetup) => all.find(({ id, failed }) => !failed && id === effectId(app, setup))
  return {
    best: best.setup,
    turns,
    requests: count,
    gapOf(setup) {
      const one = find(setup)
      return one && gapTo(best, one)
    },
    evidenceOf(setup) {
      const one = find(setup)
      return one && pool(one.evidence)
    },
  }
}

interface Finalist {
  setup: FusionSetup
  id: string
  /** By turn. */
  blocks: Requests[]
  evidence: Evidence[]
  failed: boolean
}
