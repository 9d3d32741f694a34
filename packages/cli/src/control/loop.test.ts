import { emptyProfile, type Proposal, type Strategy } from '@fusionize/planner'
import { FusionizeError } from 'fusionize'
import { allFusedSetup, type FusionSetup, remoteSetup, setupId } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { app, exampleOutcome, measurement } from '../../test/support/outcome.js'
import { type History, newHistory } from './history.js'
import type { Lab } from './lab.js'
import { type LoopOptions, runLoop } from './loop.js'
import { Meter } from './meter.js'
import type { Watcher } from './watcher.js'

const { facts } = exampleOutcome()
const proposal = (setup: FusionSetup, summary: string): Proposal => ({ setup, reasons: [], summary })
const remote = proposal(remoteSetup(app, 128), 'remote')
const fused = proposal(allFusedSetup(app, 128), 'fused')
const larger = proposal(allFusedSetup(app, 768), 'larger')

/** Proposes these one after the other, whatever was measured. */
function scripted(...steps: (Proposal | null)[]): Strategy {
  return {
    name: 'scripted',
    source: 'a test',
    first: () => steps[0] as Proposal,
    next: (history) => steps[history.length] ?? null,
  }
}

/** A lab whose setups behave as told: a number of failed requests, or an error of the deployment. */
function setUp(strategy: Strategy, behaviour: Record<string, number | Error> = {}, history?: History) {
  const served: string[] = []
  const saved: string[] = []
  const notes: string[] = []
  const lab: Lab = {
    facts,
    requestsSpent: () => 0,
    async serve(setup) {
      const id = setupId(setup)
      const fails = behaviour[id]
      if (fails instanceof Error) throw fails
      served.push(id)
      return id
    },
    async measure(arrivals) {
      const errors = (behaviour[served.at(-1) as string] as number | undefined) ?? 0
      const samples = arrivals.map((startMs, index) => ({
        index,
        startMs,
        latencyMs: 5,
        ...(index < errors ? { error: 'HTTP 500' } : {}),
      }))
      return { samples, records: [] }
    },
  }
  const watcher: Watcher = {
    plan() {},
    section() {},
    setup() {},
    phase() {},
    samples() {},
    row() {},
    note: (words) => notes.push(words),
  }
  const options: LoopOptions = {
    lab,
    meter: new Meter(),
    watcher,
    context: { app, facts, goal: { minimize: 'p50' }, constraints: {} },
    read: ({ samples }) => ({
      measurement: {
        ...measurement(5, 1, samples.length),
        errors: samples.filter((sample) => sample.error !== undefined).length,
      },
      profile: { ...emptyProfile(), requests: samples.length },
      traces: [],
    }),
    arrivals: [0, 10, 20],
    strategy,
    memory: 128,
    maxRounds: 10,
    history:
      history ??
      newHistory({ appHash: 'x', strategy: strategy.name, goal: { minimize: 'p50' }, load: 'steady' }, new Date()),
    save: async (state) => {
      saved.push(JSON.stringify(state.rounds.map((round) => round.id)))
    },
  }
  return { options, served, saved, notes }
}

test('deploys and measures what the strategy proposes until it has nothing more, saving after each round', async () => {
  const { options, served, saved } = setUp(scripted(remote, fused, larger, null))
  const { converged, rounds } = await runLoop(options)
  const ids = [remote, fused, larger].map(({ setup }) => setupId(setup))
  expect(converged).toBe(true)
  expect(served).toEqual(ids)
  expect(rounds.map((round) => round.summary)).toEqual(['remote', 'fused', 'larger'])
  expect(saved).toEqual([ids.slice(0, 1), ids.slice(0, 2), ids].map((x) => JSON.stringify(x)))
})

test('a run that was stopped goes on where it was, without measuring again', async () => {
  const strategy = scripted(remote, fused, larger, null)
  const whole = setUp(strategy)
  await runLoop(whole.options)
  const history = JSON.parse(JSON.stringify(whole.options.history)) as History
  history.rounds.length = 1
  const rest = setUp(strategy, {}, history)
  const { rounds } = await runLoop(rest.options)
  expect(rest.served).toEqual(whole.served.slice(1))
  expect(rounds.map((round) => round.id)).toEqual(whole.served)
})

test('a round with failed requests is marked and not shown to the strategy as a measurement', async () => {
  const id = setupId(fused.setup)
  const { options } = setUp(scripted(remote, fused, larger, null), { [id]: 2 })
  const { rounds, converged } = await runLoop(options)
  expect(rounds[1]?.failure).toBe('2 of 3 requests failed (HTTP 500)')
  // The strategy still sees one good round, so it proposes the same again: the loop ends instead of turning for ever.
  expect(rounds).toHaveLength(2)
  expect(converged).toBe(false)
})

test('a failed deployment is marked, and the loop ends on what was good before', async () => {
  const id = setupId(fused.setup)
  const { options, served } = setUp(scripted(remote, fused, null), { [id]: new FusionizeError('BUILD_FAILED', 'no') })
  const { rounds, converged } = await runLoop(options)
  expect(rounds.map((round) => round.failure)).toEqual([undefined, 'no'])
  expect(served).toEqual([setupId(remote.setup)])
  expect(converged).toBe(false)
})

test('being stopped is no failure of the setup: it is thrown, and the round is not kept', async () => {
  const id = setupId(fused.setup)
  const { options, saved } = setUp(scripted(remote, fused, null), { [id]: new FusionizeError('CANCELLED', 'stopped') })
  await expect(runLoop(options)).rejects.toThrow('stopped')
  expect(saved).toHaveLength(1)
})

test('a proposal that the rules forbid is never deployed', async () => {
  const odd = proposal(allFusedSetup(app, 333), 'odd')
  const { options, served, notes } = setUp(scripted(remote, odd, null))
  const { converged } = await runLoop(options)
  expect(served).toEqual([setupId(remote.setup)])
  expect(notes.join()).toMatch(/not allowed.*333 MB/)
  expect(converged).toBe(false)
})

test('a strategy that never ends is stopped at the limit', async () => {
  const sizes = [128, 256, 768, 1024].map((memory) => proposal(remoteSetup(app, memory), `${memory} MB`))
  const { options } = setUp(scripted(...sizes))
  const { rounds, converged } = await runLoop({ ...options, maxRounds: 2 })
  expect(rounds).toHaveLength(2)
  expect(converged).toBe(false)
})
