import type { Proposal, Strategy, StrategyContext } from '@fusionize/planner'
import { printSetup, setupId, validate } from 'fusionize/setup'
import { plural } from '../terminal/table.js'
import type { History, HistoryRound } from './history.js'
import type { Evidence, Lab } from './lab.js'
import type { Meter } from './meter.js'
import type { Row } from './outcome.js'
import type { Reader } from './reader.js'
import type { Watcher } from './watcher.js'

/** What each measurement of a run has in common. */
export interface Bench {
  lab: Lab
  meter: Meter
  watcher: Watcher
  context: StrategyContext
  read: Reader
  /** Arrivals of one measured load. */
  arrivals: number[]
}

export interface LoopOptions extends Bench {
  strategy: Strategy
  /** MB of every function in the first setup. */
  memory: number
  /** Setups deployed at most, the first included; a strategy that wants more has not converged. */
  maxRounds: number
  /** Rounds done before are kept; each new one is added. */
  history: History
  /** Called after each round. */
  save(history: History): Promise<void>
}

export interface LoopResult {
  rounds: HistoryRound[]
  /** What was measured in this process, by setup id; rounds of a resumed run have none. */
  evidence: Map<string, Evidence>
  /** True when the strategy has nothing more to propose; false when a round failed or the limit was reached. */
  converged: boolean
}

/** The feedback loop: deploy, load, measure, propose, until the strategy has nothing more to propose. */
export async function runLoop(options: LoopOptions): Promise<LoopResult> {
  const { history, strategy, context, meter, watcher } = options
  const evidence = new Map<string, Evidence>()
  const result = (converged: boolean) => ({ rounds: history.rounds, evidence, converged })
  if (history.rounds.length > 0)
    watcher.note(`Going on after ${plural(history.rounds.length, 'round')} of run ${history.run}.`)
  for (;;) {
    const proposal = await meter.charge('optimizer', () => propose(strategy, options))
    if (!proposal) return result(true)
    const id = setupId(proposal.setup)
    if (history.rounds.some((round) => round.id === id)) {
      const failed = history.rounds.find((round) => round.id === id)?.failure
      watcher.note(`${strategy.name} proposes setup ${id} again${failed ? `, which failed: ${failed}` : ''}; stopping.`)
      return result(!failed)
    }
    if (history.rounds.length >= options.maxRounds) {
      watcher.note(`Stopping after ${options.maxRounds} setups; --max-rounds allows more.`)
      return result(false)
    }
    const broken = validate(context.app, proposal.setup, context.constraints, context.facts)
    if (broken.length > 0) {
      watcher.note(`${strategy.name} proposed a setup that is not allowed: ${broken.map((x) => x.message).join('; ')}`)
      return result(false)
    }
    const round = await trial(options, strategy.name, proposal, evidence)
    history.rounds.push(round)
    await options.save(history)
  }
}

function propose(strategy: Strategy, { history, context, memory }: LoopOptions): Proposal | null {
  const good = history.rounds.filter((round) => !round.failure)
  return history.rounds.length === 0 ? strategy.first(context, memory) : strategy.next(good, context)
}

/** Deploys and measures one proposal. What goes wrong is the round's `failure`; only being stopped is thrown. */
export async function trial(
  bench: Bench,
  strategy: string,
  proposal: Proposal,
  evidence: Map<string, Evidence>,
): Promise<HistoryRound> {
  const { lab, watcher, context } = bench
  const notation = printSetup(proposal.setup, context.app)
  watcher.setup(strategy, notation)
  const id = setupId(proposal.setup)
  const base = { id, setup: proposal.setup, strategy, reasons: proposal.reasons, summary: proposal.summary }
  try {
    await lab.serve(proposal.setup)
    const found = await lab.measure(bench.arrivals, 0)
    evidence.set(id, found)
    const readings = await bench.meter.charge('monitor', () => bench.read(found))
    const round: HistoryRound = { ...base, ...readings }
    if (found.machineBusy !== undefined) round.machineBusy = found.machineBusy
    const { errors } = readings.measurement
    if (errors > 0) round.failure = `${errors} of ${bench.arrivals.length} requests failed (${firstError(found)})`
    watcher.row(toRow(round, context.app))
    return round
  } catch (error) {
    if (isStop(error)) throw error
    const failure = error instanceof Error ? error.message : String(error)
    const round: HistoryRound = { ...base, ...bench.read({ samples: [], records: [] }), failure }
    watcher.row(toRow(round, context.app))
    return round
  }
}

export function toRow(round: HistoryRound, app: StrategyContext['app']): Row {
  const row: Row = {
    id: round.id,
    setup: round.setup,
    notation: printSetup(round.setup, app),
    strategy: round.strategy,
    reason: round.summary,
    reasons: round.reasons,
    measurement: round.measurement.requests > 0 ? round.measurement : null,
  }
  if (round.failure !== undefined) row.failure = round.failure
  if (round.machineBusy !== undefined) row.machineBusy = round.machineBusy
  return row
}

export function isStop(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'CANCELLED'
}

function firstError(evidence: Evidence): string {
  return evidence.samples.find((sample) => sample.error !== undefined)?.error ?? 'see the log'
}
