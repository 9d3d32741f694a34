import { nestingOf } from './published-nesting.js'
import { type PublishedCall, type PublishedRecord, readPublishedRecord } from './published-record.js'
import { callKey, count, doubledCalls, type PublishedRun, runsOfTrace } from './published-runs.js'
import { stagesOf, type TimedCall, type TimedRun } from './published-structure.js'
import { type Layout, traceOf } from './published-trace.js'
import type { RequestTrace, Skipped } from './types.js'

export interface PublishedImport {
  /** By arrival. */
  traces: RequestTrace[]
  skipped: Skipped[]
  /** What was put right, and how often. */
  repaired: Record<string, number>
}

/**
 * Reads records of Fusionize's 2023 prototype (one JSON object a line, of any application) line by line, and tells of each request's trace what
 * these records leave open: it tells apart invocations that were merged into one record, takes away doubled calls, gives lost records another
 * request's values, and finds out which calls followed each other (`stagesOf`), since calls have no start times. Nothing is dropped silently.
 * Give all lines of one setup to one importer.
 */
export function publishedImporter(): {
  /** @param line from 1 */
  add(file: string, line: number, text: string): void
  end(): PublishedImport
} {
  const groups = new Map<string, { records: PublishedRecord[]; file: string; line: number }>()
  const skipped: Skipped[] = []
  const repaired = new Map<string, number>()
  return {
    add(file, line, text) {
      if (text.trim() === '') return
      const read = readPublishedRecord(text)
      if ('why' in read) {
        skipped.push({ file, line, why: read.why })
        return
      }
      for (const what of read.repaired) count(repaired, what)
      const group = groups.get(read.record.traceId)
      if (group) group.records.push(read.record)
      else groups.set(read.record.traceId, { records: [read.record], file, line })
    },
    end() {
      const doubled = doubledCalls([...groups.values()].flatMap(({ records }) => records))
      const known: { id: string; runs: PublishedRun[] }[] = []
      for (const [id, { records, file, line }] of groups) {
        if (records.some((record) => record.isRoot)) known.push({ id, runs: runsOfTrace(records, doubled, repaired) })
        else skipped.push({ file, line, why: `trace ${id} has no record of its root: its arrival is unknown` })
      }
      const layouts = layoutsByFunction(known.map(({ runs }) => runs))
      const donors = byFunction(known.flatMap(({ runs }) => runs))
      const traces = known.map(({ id, runs }) => traceOf(id, runs, layouts, donors, repaired))
      traces.sort((a, b) => a.arrivalMs - b.arrivalMs)
      return { traces, skipped, repaired: Object.fromEntries(repaired) }
    },
  }
}

function layoutsByFunction(traces: readonly (readonly PublishedRun[])[]): Map<string, Layout> {
  const timed = new Map<PublishedRun, TimedRun>()
  for (const runs of traces) {
    const here = byFunction(runs)
    for (const run of runs)
      timed.set(run, {
        ms: run.taskMs,
        calls: run.calls.map((call) => ({ key: callKey(call), ms: call.ms, sync: call.sync, ...calleeOf(call, here) })),
      })
  }
  const layouts = new Map<string, Layout>()
  for (const [fn, all] of byFunction(traces.flat())) {
    // Start-ups stretch some calls more than others, so warm runs tell more.
    const warm = all.filter((run) => !run.isCold && !run.timedOut)
    const usable = (warm.length >= ENOUGH ? warm : all).flatMap((run) => timed.get(run) ?? [])
    const inline = new Set(all.flatMap(({ calls }) => calls.filter((call) => call.local && call.sync).map(callKey)))
    layouts.set(fn, layoutOf(usable, nestingOf(usable, inline), undefined))
  }
  return layouts
}

/** Fewer warm runs than this are not enough to leave out cold ones. */
const ENOUGH = 10

/** How the calls inside an inline call, or directly in the function (`outer` undefined), follow each other. */
function layoutOf(runs: readonly TimedRun[], parents: ReadonlyMap<string, string>, outer: string | undefined): Layout {
  const here = runs.flatMap((run): TimedRun[] => {
    const around = run.calls.find(({ key }) => key === outer)
    if (outer !== undefined && !around) return []
    return [{ ms: around?.ms ?? run.ms, calls: run.calls.filter(({ key }) => parents.get(key) === outer) }]
  })
  const keys = new Set([...parents.values()].filter((key) => parents.get(key) === outer))
  return {
    stages: stagesOf(here),
    parents,
    inside: new Map([...keys].map((key) => [key, layoutOf(runs, parents, key)])),
  }
}

/** When the callee of a remote call ran, if it cannot be another's. */
function calleeOf(
  { called, local }: PublishedCall,
  here: ReadonlyMap<string, readonly PublishedRun[]>,
): Pick<TimedCall, 'callee'> {
  const [run, ...more] = here.get(called) ?? []
  if (local || !run || more.length > 0) return {}
  return { callee: { startMs: run.startMs, endMs: run.startMs + run.taskMs } }
}

function byFunction(runs: readonly PublishedRun[]): Map<string, PublishedRun[]> {
  const groups = new Map<string, PublishedRun[]>()
  for (const run of runs) {
    const list = groups.get(run.function)
    if (list) list.push(run)
    else groups.set(run.function, [run])
  }
  return groups
}
