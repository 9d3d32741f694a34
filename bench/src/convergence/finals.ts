import type { Evidence } from '@fusionize/cli/control'
import { evenly, pool } from '@fusionize/cli/control'
import { type Estimate, mean } from '@fusionize/planner'
import { type FusionSetup, printSetup } from 'fusionize/setup'
import type { LocalBench } from './local-lab.js'
import { effectId } from './neighbours.js'
import { gapOverTurns, objectiveOf, type Requests, requestsOf } from './paired.js'

/** A setup is within so much of the best when the upper end of its gap's 95% interval is below it (METRICS). */
export const WITHIN = 0.02
/** Best and adopted are interleaved at least three times (METRICS); whole turns are the sample, and five are few. */
const LEAST_TURNS = 5
/** Requests after which another setup has its turn: what slows the machine for some seconds slows all. Whole visits of the shop's customers. */
const SLICE = 30
/** A turn with fewer of each setup tells little for the deployments and warm-ups that it costs. */
const LEAST_SLICES = 2
const MOST_SLICES = 6

export interface Finals {
  best: FusionSetup
  turns: number
  /** Requests of each setup in a turn. */
  requests: number
  /** @returns undefined for one that was no finalist, or failed */
  gapOf(setup: FusionSetup): Estimate | undefined
  evidenceOf(setup: FusionSetup): Evidence | undefined
}

export interface FinalsOptions {
  /** Deployed before each turn, so that nothing of the turn before goes on. */
  first: FusionSetup
  rps: number
  /** Epoch ms by which the last turn shall be over. The first turns take place all the same. */
  deadline: number
  /** Seconds that a setup takes in a turn beside its load. */
  setupSeconds: number
  quick: boolean
  progress(text: string): void
}

/**
 * Measures setups anew in turns. In a turn all are deployed side by side, in new sandboxes, and have equal requests in slices (a b c, c b a, …); only these
 * requests count. From the fifth turn on, a setup whose gap is beyond 2% with its whole interval takes no more turns, so that there are more for those that
 * are near. The clock alone decides when it ends.
 */
export async function playFinals(
  { context, sideBySide }: Pick<LocalBench, 'context' | 'sideBySide'>,
  finalists: readonly FusionSetup[],
  options: FinalsOptions,
): Promise<Finals> {
  const { app, goal, facts } = context
  const { first, rps, deadline, setupSeconds, quick, progress } = options
  const all = finalists.map(
    (setup): Finalist => ({ setup, id: effectId(app, setup), turns: [], evidence: [], failed: false }),
  )
  const secondsOfLoad = (deadline - Date.now()) / 1000 / (LEAST_TURNS * all.length) - setupSeconds
  const slices = quick ? 1 : Math.min(MOST_SLICES, Math.max(LEAST_SLICES, Math.round((secondsOfLoad * rps) / SLICE)))
  const slice = quick ? 4 : SLICE
  const isTime = (setups: number) => Date.now() + setups * ((slices * slice) / rps + setupSeconds) * 1000 <= deadline
  const gapTo = (best: Finalist, one: Finalist): Estimate => {
    const n = Math.min(best.turns.length, one.turns.length)
    if (one === best) return { value: 0, low: 0, high: 0, n }
    return gapOverTurns(goal, one.turns.slice(0, n), best.turns.slice(0, n))
  }
  const score = (one: Finalist) => mean(one.turns.map((requests) => Math.log(objectiveOf(goal, requests))))
  const bestOf = (some: readonly Finalist[]) => some.reduce((a, b) => (score(b) < score(a) ? b : a))
  let playing = all
  let turns = 0
  for (; turns < LEAST_TURNS || (!quick && playing.length > 1 && isTime(playing.length)); turns++) {
    progress(`finals: turn ${turns + 1}, ${playing.length} setups, ${slices * slice} requests each`)
    const order = turns % 2 === 1 ? playing.toReversed() : playing
    const deployed = await sideBySide(
      first,
      order.map(({ setup }) => setup),
    )
    const measured = new Map<Finalist, Evidence[]>(order.map((one) => [one, []]))
    for (let i = 0; i < slices; i++) {
      const load = { arrivals: evenly(slice, rps), firstIndex: (turns * MOST_SLICES + i) * SLICE }
      for (const one of i % 2 === 1 ? order.toReversed() : order)
        measured.get(one)?.push(await deployed.slice(one.setup, load))
    }
    for (const [one, evidence] of measured) {
      const turn = pool(evidence)
      one.failed ||= turn.samples.some(({ error }) => error !== undefined)
      one.evidence.push(turn)
      one.turns.push(requestsOf(turn, facts))
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
    requests: slices * slice,
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
  turns: Requests[]
  evidence: Evidence[]
  failed: boolean
}
