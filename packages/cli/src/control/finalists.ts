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
  /** Seconds that a block takes beside its load. */
  blockSeconds: number
  /** Epoch ms by which the last turn shall be over: blocks get smaller, all alike, then fewer. */
  deadline?: number
  now?: () => number
}

/** A block of fewer requests tells little for the deployment and the warm-up that it costs. */
const SMALLEST = 50

/**
 * Measures the finalists again, in turn and in blocks (a b c, c b a, …), so that what changes on the machine over time falls on all of them
 * alike, and pools each one's samples with those it has. Blocks of a turn are equal requests.
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
  const { samples, rps, deadline = Number.POSITIVE_INFINITY, now = Date.now } = options
  const has = (round: HistoryRound) => evidence.get(round.id)?.samples.length ?? 0
  const failed = new Map<string, string>()
  let next = Math.max(bench.arrivals.length, ...finalists.map(has))
  for (let turn = 0; ; turn++) {
    const order = finalists.filter((round) => has(round) < samples && !failed.has(round.id))
    if (order.length === 0) break
    const fits = Math.floor(((deadline - now()) / 1000 / order.length - options.blockSeconds) * rps)
    if (fits < Math.min(SMALLEST, options.blockRequests)) break
    if (turn % 2 === 1) order.reverse()
    for (const round of order) {
      const count = Math.min(options.blockRequests, samples - has(round), fits)
      watcher.setup(`${round.strategy}, block ${turn + 1}`, printSetup(round.setup, context.app))
      await lab.serve(round.setup)
      const block = await lab.measure(evenly(count, rps), next)
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
