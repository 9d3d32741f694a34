/** Takes one message of a function's log. */
export type LogLine = (message: string) => void

interface Report {
  requestId: string
  durationMs: number
  /** Of an environment's first invocation. */
  initMs?: number | undefined
  memoryMb: number
  peakMb: number
  status?: 'timeout' | 'error' | undefined
  errorType?: string | undefined
}

export function initStart(): string {
  return 'INIT_START Runtime Version: nodejs:22.double\tRuntime Version ARN: arn:aws:lambda:double::runtime:0\n'
}

/**
 * The line that Lambda writes after an invocation; initialization is billed since August 2025.
 * Not imitated: the log format JSON, X-Ray's part of the line. The figures are those of this machine and say nothing of AWS.
 */
export function reportLine({ requestId, durationMs, initMs, memoryMb, peakMb, status, errorType }: Report): string {
  const parts = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(durationMs + (initMs ?? 0))} ms`,
    `Memory Size: ${memoryMb} MB`,
    `Max Memory Used: ${peakMb} MB`,
    ...(initMs === undefined ? [] : [`Init Duration: ${initMs.toFixed(2)} ms`]),
    ...(status === undefined ? [] : [`Status: ${status}`]),
    ...(status === 'error' && errorType ? [`Error Type: ${errorType}`] : []),
  ]
  return `${parts.join('\t')}\t\n`
}
