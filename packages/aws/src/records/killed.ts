import { createHash } from 'node:crypto'
import { formatRecord, type InvocationRecord, RECORD_VERSION } from 'fusionize/record'
import type { Killed } from './join.js'
import type { Report } from './report-line.js'

/** What a version of a Lambda function is. */
export interface Version {
  /** As the app knows it. */
  function: string
  /** Id of the setup; empty where the version is gone. */
  setup: string
}

/**
 * The record of an invocation that wrote none. What it cost is as exact as any; of what it ran nothing is known but that it failed. Where
 * nothing says who asked for it, its ids are of its own, and its caller is a span that there is not: so it is no request.
 */
export function killedRecord({ asked, attempt, event, report }: Killed, app: string, version: Version): string {
  const { durationMs, initMs, memoryMb, peakMb, request } = report
  const root = { parent: -1, mode: asked?.mode ?? 'call', route: 'inline', bytesIn: 0, bytesOut: 0 } as const
  const record: InvocationRecord = {
    ...{ v: RECORD_VERSION, app, setup: version.setup, function: version.function },
    ...{ task: version.function, invocation: request, session: request, mode: root.mode },
    trace: hex(request, 32),
    parent: spanOf(`${event.id} caller`),
    ...asked,
    ...{ attempt, span: spanOf(event.id), sandbox: event.stream },
    ...{ cold: initMs ?? null, start: event.time - durationMs, reply: durationMs, wall: durationMs },
    ...{ peakMb, memory: memoryMb, concurrent: 1, spans: [] },
  }
  const { task } = record
  return formatRecord({ ...record, spans: [{ ...root, task, start: 0, end: durationMs, error: errorOf(report) }] })
}

/** Name, here the code that callers would hear, and message. */
function errorOf({ durationMs, errorType, failed, memoryMb, peakMb }: Report): string {
  if (failed === 'timeout') return `TIMEOUT: Lambda ended the sandbox after ${Math.round(durationMs)} ms`
  if (errorType === 'Runtime.OutOfMemory' || peakMb >= memoryMb)
    return `OUT_OF_MEMORY: Lambda ended the sandbox at ${memoryMb} MB`
  return `SANDBOX_CRASHED: Lambda says ${errorType ?? 'that it failed'}`
}

/** Id of a root span. */
function spanOf(text: string): string {
  return `${hex(text, 8)}00000000`
}

function hex(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}
