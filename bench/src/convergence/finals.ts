import type { Evidence } from '@fusionize/cli/control'
import { type Bench, evenly, pool } from '@fusionize/cli/control'
import type { Estimate } from '@fusionize/planner'
import { type FusionSetup, printSetup } from 'fusionize/setup'
import { effectId } from './neighbours.js'
import { gapBetween, objectiveOf, type Requests, requestsOf } from './paired.js'

/** Best and adopted are interleaved at least so often (METRICS). */
const LEAST_TURNS = 3
/** A block of fewer requests tells little for the deployment and the warm-up that it costs. */
const LEAST_REQUESTS = 60
/** Loads begin at multiples of it, so that what a customer does one after the other is in one load. */
const MOST_REQUESTS = 300

export interface Finals {
  best: FusionSetup
  turns: number
  /** Requests of each finalist. */
  requests: number
  /** @returns undefined for one that was no finalist, or failed */
  gapOf(setup: FusionSetup): Estimate | undefined
  evidenceOf(setup: FusionSetup): Evidence | undefined
}

export interface FinalsOptions {
  rps: number
  /** Epoch ms by which the last turn shall be over; the first three take place all the same. */
  deadline: number
  /** Seconds that a block takes beside its load. */
  blockSeconds: number
  quick: boolean
  progress(text: string): void
}

/**
 * Measures setups anew in turns (a b c, c b a, …), a block of equal requests each; only these blocks count. How many turns there are, the clock decides, and
 * never what was measured.
 */
export async function playFinals(
  { lab, context }: Bench,
  finalists: readonly FusionSetup[],
  options: FinalsOptions,
): Promise<Finals> {
  const { app, goal, facts } = context
  const { rps, deadline, blockSeconds, quick, progress } = options
  const ids = finalists.map((setup) => effectId(app, setup))
  const blocks = new Map(ids.map((id) => [id, [] as Evidence[]]))
  const secondsOfBlock = (deadline - Date.now()) / 1000 / (LEAST_TURNS * finalists.length) - blockSeconds
  const count = quick ? 4 : Math.round(Math.min(MOST_REQUESTS, Math.max(LEAST_REQUESTS, secondsOfBlock * rps)))
  const turnMs = finalists.length * (count / rps + blockSeconds) * 1000
  let turns = 0
  for (; turns < LEAST_TURNS || (!quick && Date.now() + turnMs <= deadline); turns++) {
    progress(`finals: turn ${turns + 1}, ${finalists.length} setups, ${count} requests each`)
    const order = finalists.map((setup, i) => ({ setup, id: ids[i] as string }))
    if (turns % 2 === 1) order.reverse()
    for (const { setup, id } of order) {
      await lab.serve(setup)
      blocks.get(id)?.push(await lab.measure(evenly(count, rps), turns * MOST_REQUESTS))
    }
  }
  const requests = new Map<string, Requests>()
  for (const [id, list] of blocks) {
    const all = list.flatMap((block) => requestsOf(block, facts))
    if (all.every((one) => one !== undefined)) requests.set(id, all)
    else progress(`${printSetup(finalists[ids.indexOf(id)] as FusionSetup, app)}: out, since requests failed`)
  }
  const scored = [...requests].map(([id, all]) => ({ id, all, score: objectiveOf(goal, all) }))
  const [first, ...rest] = scored
  if (!first) throw new Error(`no setup of '${app.name}' served its requests without errors`)
  const best = rest.reduce((a, b) => (b.score < a.score ? b : a), first)
  return {
    best: finalists[ids.indexOf(best.id)] as FusionSetup,
    turns,
    requests: turns * count,
    gapOf(setup) {
      const id = effectId(app, setup)
      const own = requests.get(id)
      if (!own) return undefined
      return id === best.id ? { value: 0, low: 0, high: 0, n: own.length } : gapBetween(goal, own, best.all)
    },
    evidenceOf(setup) {
      const own = blocks.get(effectId(app, setup))
      return own && own.length > 0 ? pool(own) : undefined
    },
  }
}
