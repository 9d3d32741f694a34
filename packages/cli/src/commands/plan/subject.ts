import {
  appOfTraces,
  type PlannerFacts,
  type RequestTrace,
  type Seen,
  seenInTraces,
  tracesOfRecords,
} from '@fusionize/planner'
import { FusionizeError } from 'fusionize'
import type { App, Constraints, FusionSetup } from 'fusionize/setup'
import { setupId } from 'fusionize/setup'
import { currentSetup } from '../../app/current-setup.js'
import { type LoadedApp, loadApp } from '../../app/load-app.js'
import { readRecords } from '../../app/record-files.js'
import { readHistories } from '../../control/history.js'
import { openOwnPlatform } from '../../control/own-platform.js'
import { UsageError } from '../../terminal/usage-error.js'
import type { Architecture } from '../../traces/facts.js'
import { lambdaFacts } from '../../traces/facts.js'

/** What is planned: an application, what was seen of it, and what it runs on. */
export interface Subject {
  app: App
  /** Present where the application's source is at hand, so that a plan can be adopted. */
  loaded?: LoadedApp
  constraints: Constraints
  facts: PlannerFacts & { name?: string }
  platform: string
  /** The most requests first. */
  seen: Seen[]
  notes: string[]
}

export interface SubjectOptions {
  cwd: string
  arch: Architecture
  /** Memory of functions whose traces do not tell it, MB. */
  memoryMb?: number
}

/** The application in the folder, from what its functions reported there. @throws {FusionizeError} when nothing was recorded */
export async function ownSubject({ cwd }: SubjectOptions): Promise<Subject> {
  const loaded = await loadApp(cwd)
  const app = await loaded.scan()
  const { records } = await readRecords(loaded.stateDir, loaded.name)
  const traces = tracesOfRecords(records)
  if (traces.length === 0)
    throw new FusionizeError(
      'INVALID_INPUT',
      `nothing was recorded in ${loaded.stateDir}; run 'fusionize dev', let it serve some requests, and plan then, or give files with traces`,
    )
  return subjectOf(loaded, app, traces)
}

/** What traces from files tell of: the application in the folder if they are its own, else one as they show it, priced as on AWS Lambda. */
export async function traceSubject(traces: readonly RequestTrace[], options: SubjectOptions): Promise<Subject> {
  const loaded = await loadApp(options.cwd).catch(() => undefined)
  const app = await loaded?.scan().catch(() => undefined)
  const isOwn = app && traces.every(({ runs }) => runs.every(({ task }) => Object.hasOwn(app.tasks, task)))
  if (loaded && app && isOwn) return subjectOf(loaded, app, traces)
  const facts = lambdaFacts(options.arch)
  const sized = withMemory(traces, options.memoryMb)
  const name = 'traces'
  const shown = appOfTraces(name, sized)
  return {
    app: shown,
    constraints: {},
    facts,
    platform: facts.name,
    seen: seenInTraces(shown, sized),
    notes: ['The application is as its traces show it: what was never called is not known, nor what must stay apart.'],
  }
}

async function subjectOf(loaded: LoadedApp, app: App, traces: readonly RequestTrace[]): Promise<Subject> {
  const { platform, close } = await openOwnPlatform(loaded, undefined)
  const facts = platform.facts()
  await close()
  const rounds = (await readHistories(loaded.stateDir)).flatMap((history) => history.rounds)
  const { setup, ignored } = await currentSetup(loaded, app, facts.memoryLadder)
  const known = new Map<string, FusionSetup>(rounds.map((round) => [round.id, round.setup]))
  known.set(setupId(setup), setup)
  const notes = ignored === undefined ? [] : [ignored]
  if (!facts.cpuShareEnforced) notes.push(`No cost is known, so sizes stay as they are: ${facts.cpuShareReason}`)
  return {
    app,
    loaded,
    constraints: loaded.config.constraints,
    facts,
    platform: facts.platform,
    seen: seenInTraces(app, traces, known),
    notes,
  }
}

/** @throws {UsageError} when neither the traces nor the option tell a function's memory */
function withMemory(traces: readonly RequestTrace[], memoryMb: number | undefined): readonly RequestTrace[] {
  const untold = traces.flatMap(({ invocations }) => invocations).find((one) => one.memoryMb === undefined)
  if (!untold) return traces
  if (memoryMb === undefined)
    throw new UsageError(
      `the traces do not tell how much memory function ${untold.function} has; say it with --memory <MB>`,
      'plan',
    )
  return traces.map((trace) => ({
    ...trace,
    invocations: trace.invocations.map((one) => ({ ...one, memoryMb: one.memoryMb ?? memoryMb })),
  }))
}
