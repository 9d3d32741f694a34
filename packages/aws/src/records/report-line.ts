import { jsonIn } from './json-in.js'

/** What Lambda itself says of an invocation in its log, when the environment is at rest again, or dead. */
export interface Report {
  request: string
  /** Ms from the start of the handler to the end of what went on after the reply. */
  durationMs: number
  billedMs: number
  /** Ms of the start-up, of an environment's first invocation. */
  initMs: number | undefined
  memoryMb: number
  peakMb: number
  /** The invocation failed: by time, or as `errorType` says. */
  failed?: 'timeout' | 'error'
  /** `Runtime.ExitError`, `Runtime.OutOfMemory`… */
  errorType?: string
}

/** @returns undefined for another line */
export function parseReport(line: string): Report | undefined {
  if (line.startsWith('REPORT RequestId: ')) return textReport(line)
  return line.startsWith('{') && line.includes('"platform.report"') ? jsonReport(line) : undefined
}

/** Log format Text ("Lambda function logs", REPORT, AWS Lambda Developer Guide). */
function textReport(line: string): Report | undefined {
  const field = (name: string, value: string) => new RegExp(`(?:^|\\t)\\s*${name}: (${value})`).exec(line)?.[1]
  const figure = (name: string) => {
    const found = field(name, '[\\d.]+')
    return found === undefined ? undefined : Number(found)
  }
  return reportOf({
    request: field('REPORT RequestId', '\\S+'),
    durationMs: figure('Duration'),
    billedMs: figure('Billed Duration'),
    initMs: figure('Init Duration'),
    memoryMb: figure('Memory Size'),
    peakMb: figure('Max Memory Used'),
    status: field('Status', '\\w+'),
    errorType: field('Error Type', '\\S+'),
  })
}

/** An event of Lambda's in the log format JSON. */
interface PlatformReport {
  type: string
  record: {
    requestId?: string
    metrics?: {
      durationMs?: number
      billedDurationMs?: number
      initDurationMs?: number
      memorySizeMB?: number
      maxMemoryUsedMB?: number
    }
    status?: string
    errorType?: string
  }
}

/** Log format JSON ("Lambda Telemetry API Event schema reference", platform.report, AWS Lambda Developer Guide). */
function jsonReport(line: string): Report | undefined {
  const { type, record } = jsonIn<Partial<PlatformReport>>(line) ?? {}
  if (type !== 'platform.report') return undefined
  const { errorType, metrics = {}, requestId: request, status } = record ?? {}
  return reportOf({
    ...{ request, status, errorType },
    durationMs: metrics.durationMs,
    billedMs: metrics.billedDurationMs,
    initMs: metrics.initDurationMs,
    memoryMb: metrics.memorySizeMB,
    peakMb: metrics.maxMemoryUsedMB,
  })
}

type Fields = { [K in Exclude<keyof Report, 'failed'>]?: Report[K] | undefined } & { status: string | undefined }

function reportOf({ request, durationMs, billedMs, initMs, memoryMb, peakMb, status, errorType }: Fields) {
  if (request === undefined || durationMs === undefined || billedMs === undefined) return undefined
  if (memoryMb === undefined || peakMb === undefined) return undefined
  const report: Report = { request, durationMs, billedMs, initMs, memoryMb, peakMb }
  if (status !== undefined && status !== 'success') report.failed = status === 'timeout' ? 'timeout' : 'error'
  if (errorType !== undefined) report.errorType = errorType
  return report
}
