import { printSetup } from 'fusionize/setup'
import type { HistoryRound } from './history.js'
import { type Evidence, pool } from './lab.js'
import { evenly } from './load/arrivals.js'
import type { Bench } from './loop.js'

export interface FinalOptions {
  rps: number
  /** Samples that each finalist shall have in the end, those it has included. */
  samples: number
  blockRequests: number
  /** Epoch ms after which no further turn begins. */
  deadline?: number
}

/**
 * Measures the finalists again, in turn and in blocks (a b c, c b a, …), so that what changes on the machine over time falls on all of them
 * alike, and pools each one's samples with those it has. Equal blocks get equal requests.
 * @param evidence what was measured before, by setup id; the blocks are added to it
 * @returns the finalists with their pooled figures
 */
export async function playOff(
  bench: Bench,
  finalists: readonly HistoryRound[],
  evidence: Map<string, Evidence>,
  options: FinalOptions,
): Promise<HistoryRound[]> {
  const { lab, watcher, context } = bench
  const has = (round: HistoryRound) => evidence.get(round.id)?.samples.length ?? 0
  const failed = new Map<string, string>()
  let next = Math.max(bench.arrivals.length, ...finalists.map(has))
  for (let turn = 0; ; turn++) {
    const order = finalists.filter((round) => has(round) < options.samples && !failed.has(round.id))
    if (order.length === 0 || (options.deadline !== undefined && Date.now() > options.deadline)) break
    if (turn % 2 === 1) order.reverse()
    for (const round of order) {
      const count = Math.min(options.blockRequests, options.samples - has(round))
      watcher.setup(`${round.strategy}, block ${turn + 1}`, printSetup(round.setup, context.app))
      await lab.serve(round.setup)
      const block = await lab.measure(evenly(count, options.rps), next)
      const before = evidence.get(round.id)
      evidence.set(round.id, before ? pool([before, block]) : block)
      const errors = block.samples.filter((sample) => sample.error !== undefined)
      if (errors.length > 0)
        failed.set(round.id, `${errors.length} requests failed when measured again (${errors[0]?.error})`)
    }
    next += options.blockRequests
  }
  const result: HistoryRound[] = []
  for (const round of finalists) {
    const found = evidence.get(round.id)
    const failure = failed.get(round.id)
    const readings = found ? await bench.meter.charge('monitor', () => bench.read(found)) : {}
    result.push({
      ...round,
      ...readings,
      ...(failure ? { failure } : {}),
      ...(found?.machineBusy === undefined ? {} : { machineBusy: found.machineBusy }),
    })
  }
  return result
}
