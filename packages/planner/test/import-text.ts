import { readFileSync } from 'node:fs'
import {
  createTraceImporter,
  type ImportOptions,
  type ImportSummary,
  type RequestTrace,
  type Skipped,
} from '@fusionize/planner'

export interface Imported {
  traces: RequestTrace[]
  skipped: Skipped[]
  summary: ImportSummary
}

/** Reads texts as files, in pieces of `piece` characters. */
export function importText(files: Record<string, string>, options: ImportOptions = {}, piece = 1e9): Imported {
  const traces: RequestTrace[] = []
  const skipped: Skipped[] = []
  const importer = createTraceImporter(
    { trace: (trace) => void traces.push(trace), skip: (one) => void skipped.push(one) },
    options,
  )
  for (const [name, text] of Object.entries(files)) {
    const reader = importer.file(name)
    for (let at = 0; at < text.length; at += piece) reader.feed(text.slice(at, at + piece))
    reader.end()
  }
  return { traces, skipped, summary: importer.end() }
}

export function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/traces/${name}`, import.meta.url), 'utf8')
}

/** Runs in short: `caller > task mode start–end`. */
export function runsOf({ runs }: RequestTrace): string[] {
  return runs.map(({ endMs, mode, parent, startMs, task }) => {
    const at = (ms: number) => String(Math.round(ms * 1000) / 1000)
    return `${parent < 0 ? '' : `${runs[parent]?.task} > `}${task} ${mode} ${at(startMs)}–${at(endMs)}`
  })
}
