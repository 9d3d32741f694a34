import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  type ModelSetup,
  mean,
  type PublishedImport,
  priceOf,
  publishedImporter,
  quantile,
  type RequestTrace,
  readPublishedSetups,
  type Skipped,
  withMemoryOf,
} from '@fusionize/planner'
import { awsLambda2023 } from 'fusionize/prices'

/** One setup with records in a folder of Fusionize's 2023 prototype. */
export interface PublishedSetup {
  name: string
  setup: ModelSetup
  traces: RequestTrace[]
  skipped: Skipped[]
  repaired: PublishedImport['repaired']
  /** By function, MB: what its records say. */
  memoryMb: Record<string, number>
  measured: Figures
  /** What `expected.json` says of the same records, and of the whole run, if it is there. */
  expected?: { sample: Figures; full: Figures }
}

export interface Figures {
  p50Ms: number
  costUsd: number
}

/** Setups of a run, in the order in which they were deployed. */
export interface PublishedRunFolder {
  name: string
  /** Those with requests in their records. */
  setups: PublishedSetup[]
  /** Names of those without. */
  empty: string[]
}

/**
 * The runs in a folder: itself, if there are record files (`*.ndjson`) in it, else those of its subfolders.
 * @throws Error when there is none
 */
export function readRuns(dir: string): PublishedRunFolder[] {
  if (!existsSync(dir))
    throw new Error(`there is no folder ${dir}; give --traces a folder with .ndjson files of the 2023 prototype`)
  const entries = readdirSync(dir, { withFileTypes: true })
  const runs = entries.some((entry) => isRecords(entry.name))
    ? [readRun(dir)]
    : entries.filter((entry) => entry.isDirectory()).flatMap((entry) => readNested(join(dir, entry.name)))
  if (runs.length === 0) throw new Error(`no .ndjson file in ${dir} nor in a folder in it`)
  return runs
}

function readNested(dir: string): PublishedRunFolder[] {
  const entries = readdirSync(dir, { withFileTypes: true })
  if (entries.some((entry) => isRecords(entry.name))) return [readRun(dir)]
  return entries.filter((entry) => entry.isDirectory()).flatMap((entry) => readNested(join(dir, entry.name)))
}

const isRecords = (file: string) => file.endsWith('.ndjson')

function readRun(dir: string): PublishedRunFolder {
  const rules = readJson(join(dir, 'setups.json'))
  const { order, setups } = rules === undefined ? { order: [], setups: {} } : readPublishedSetups(rules)
  const files = readdirSync(dir)
    .filter(isRecords)
    .map((file) => basename(file, '.ndjson'))
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
  files.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const expected = readJson(join(dir, 'expected.json')) as Record<string, ExpectedOf> | undefined
  const all = files.map((name) => readSetup(join(dir, `${name}.ndjson`), name, setups[name], expected?.[name]))
  return {
    name: basename(dir),
    setups: all.filter(({ traces }) => traces.length > 0),
    empty: all.filter(({ traces }) => traces.length === 0).map(({ name }) => name),
  }
}

interface ExpectedOf {
  sample?: { rr_p50: number; cost_corr_mean: number }
  full?: { rr_p50: number; cost_corr_mean: number }
}

function readJson(file: string): unknown {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`)
  }
}

function readSetup(
  file: string,
  name: string,
  ruled: ModelSetup | undefined,
  expected: ExpectedOf | undefined,
): PublishedSetup {
  const importer = publishedImporter()
  for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) importer.add(file, i + 1, line)
  const { traces, skipped, repaired } = importer.end()
  const memoryMb = memoryOf(traces)
  const figures = (of: ExpectedOf['sample']) => of && { p50Ms: of.rr_p50, costUsd: of.cost_corr_mean }
  const sample = figures(expected?.sample)
  const full = figures(expected?.full)
  return {
    name,
    setup: withMemoryOf(ruled ?? seenIn(traces), memoryMb),
    traces,
    skipped,
    repaired,
    memoryMb,
    measured: measuredOf(traces),
    ...(sample && full ? { expected: { sample, full } } : {}),
  }
}

/** Routes as the records show them, where no rules are given. */
function seenIn(traces: readonly RequestTrace[]): ModelSetup {
  const functions: Record<string, { memory: number; inline: { call: string[]; send: string[]; map: string[] } }> = {}
  for (const { runs, invocations } of traces)
    for (const { task, mode, route, invocation } of runs) {
      const host = invocations[invocation]?.function ?? task
      functions[host] ??= { memory: 128, inline: { call: [], send: [], map: [] } }
      const list = functions[host].inline[mode]
      if (route === 'inline' && !list.includes(task)) list.push(task)
    }
  return { functions }
}

/** The size that most invocations of a function had, MB. */
function memoryOf(traces: readonly RequestTrace[]): Record<string, number> {
  const counts = new Map<string, Map<number, number>>()
  for (const { invocations } of traces)
    for (const { function: fn, memoryMb } of invocations) {
      if (memoryMb === undefined) continue
      const sizes = counts.get(fn) ?? new Map<number, number>()
      counts.set(fn, sizes.set(memoryMb, (sizes.get(memoryMb) ?? 0) + 1))
    }
  return Object.fromEntries(
    [...counts].map(([fn, sizes]) => [fn, [...sizes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 128]),
  )
}

/** `rr_p50` (root's end − earliest start) and `cost_corr_mean` (every invocation, those restored that the export merged or lost), from the records. */
export function measuredOf(traces: readonly RequestTrace[]): Figures {
  const latencies = Float64Array.from(traces, ({ runs }) => runs[0]?.endMs ?? Number.NaN).sort()
  const costs = traces.map(({ invocations }) =>
    invocations.reduce((sum, { memoryMb = 128, billedMs = 0 }) => {
      const { compute, requests } = priceOf(awsLambda2023, memoryMb, billedMs)
      return sum + compute + requests
    }, 0),
  )
  return { p50Ms: quantile(latencies, 0.5), costUsd: mean(costs) }
}
