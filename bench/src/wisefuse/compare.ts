import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { evenly, openOwnPlatform, pool } from '@fusionize/cli/control'
import { measure } from '@fusionize/planner'
import { printSetup, remoteSetup, setupId } from 'fusionize/setup'
import type { BenchContext } from '../harness.js'
import { emulationOf, OFFERED_LIMIT } from '../load/compare.js'
import { figuresOf, serveInTurn } from '../load/in-turn.js'
import { loadMeasuredApp, type MeasuredApp } from './apps.js'
import { commonGoal, type FoundSetup, notSaid, setupsFor } from './find-setups.js'
import { simulateMoreCores } from './more-cores.js'
import { platformBed } from './platform-bed.js'
import { whyOf } from './reasons.js'
import { type Compared, findingsOf } from './report.js'
import { type RowName, rowNames } from './rows.js'

const REQUESTS = 300
/** Of a round while setups are looked for. */
const PROBE_REQUESTS = 60
const BLOCKS = 3
const QUICK_RPS = 3
/** New sandboxes run new code: what is compared is how setups serve, not how they start. */
const WARM_UP_SECONDS = 6

/** One application: the common goal, every strategy's setup for it, all of them measured in turn. */
export async function compareStrategies(measured: MeasuredApp, context: BenchContext): Promise<void> {
  const { options, finding, more, progress, sample } = context
  const quick = options.quick !== undefined
  const folder = mkdtempSync(join(tmpdir(), 'fusionize-wisefuse-'))
  const loaded = await loadMeasuredApp(measured, folder)
  const app = await loaded.scan()
  const { platform, close } = await openOwnPlatform(loaded, emulationOf(options.emulate))
  try {
    const facts = { ...platform.facts(), machineCores: availableParallelism() }
    // A trial is no measurement: slowly, so that hardly any sandbox has to start.
    const rps = quick ? QUICK_RPS : measured.rps
    const bed = platformBed(loaded, app, platform, facts, { requests: quick ? 12 : PROBE_REQUESTS, rps }, progress)
    const { round: profile, evidence: profiled } = await bed.record('remote', remoteSetup(app, bed.memory))
    const { goal, words } = await commonGoal(bed, profile)
    finding(`${measured.name}: goal of all: ${words}`)
    const found = await setupsFor(bed, goal, profile)
    const blocks = quick ? 1 : BLOCKS
    const plan = evenly(quick ? 6 : REQUESTS / BLOCKS, rps)
    const served = await serveInTurn(loaded, app, platform, {
      setups: mapRows((name) => found[name].setup),
      plan,
      blocks,
      lab: { rps, warmUpSeconds: quick ? 0.5 : WARM_UP_SECONDS, forceCold: false },
      firstRequest: (block) => block * plan.length,
      progress: (text) => progress(`${measured.name}, ${text}`),
    })
    const compared = rowNames.map((name): Compared => {
      const evidence = pool(served[name].evidence)
      const id = `${measured.name}-${name}`
      for (const { latencyMs, error } of evidence.samples) if (error === undefined) sample(id, latencyMs)
      const figures = measure(evidence.samples, evidence.records, facts)
      const why = whyOf(evidence.records, figures.requests)
      const { setup, deployments } = found[name]
      const { p95Ms, costPerMillionUsd: costUsd } = figures
      more(id, {
        ...figuresOf(app, setup, evidence, facts),
        p95Interval: [p95Ms.low, p95Ms.high],
        costInterval: costUsd && [costUsd.low, costUsd.high],
        keepsGoal: p95Ms.value <= (goal.subjectTo?.p95Ms ?? Number.POSITIVE_INFINITY),
        deployments,
        notSaid: notSaid(found[name]),
        why,
      })
      const busy = evidence.machineBusy ?? Number.NaN
      return {
        name,
        id: setupId(setup),
        p95Ms,
        costUsd,
        doubleBilling: figures.doubleBillingShare,
        errors: figures.errors,
        why,
        busy,
      }
    })
    for (const text of findingsOf(compared, goal)) finding(`${measured.name}: ${text}`)
    const simulated = quick ? { rps, requests: 60 } : { rps }
    for (const text of await simulateMoreCores(bed, profile, profiled, simulated, found, compared))
      finding(`${measured.name}: ${text}`)
    finding(`${measured.name}: sonic's placement is void on one machine; how it passes data is left of it`)
    for (const text of unsaid(found)) finding(`${measured.name}: ${text}`)
    for (const name of rowNames) progress(`${measured.name}, ${name}: ${printSetup(found[name].setup, app)}`)
    if (!facts.cpuShareEnforced) finding(`${measured.name}: cost is null: ${facts.cpuShareReason}`)
    const most = Math.max(...compared.map(({ busy }) => busy))
    finding(
      `${measured.name}: the machine was ${Math.round(100 * most)}% busy at most${most > OFFERED_LIMIT ? `; above ${OFFERED_LIMIT * 100}% requests wait for the machine, so these latencies are not the setups'` : ''}`,
    )
  } finally {
    await close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What each strategy decided and no setup can say, the same words once. */
function unsaid(found: Record<RowName, FoundSetup>): string[] {
  const by = new Map<string, RowName[]>()
  for (const name of rowNames) for (const text of notSaid(found[name])) by.set(text, [...(by.get(text) ?? []), name])
  return [...by].map(([text, names]) => `no setup can say of ${names.join(', ')}: ${text}`)
}

function mapRows<T>(of: (name: RowName) => T): Record<RowName, T> {
  return Object.fromEntries(rowNames.map((name) => [name, of(name)])) as Record<RowName, T>
}
