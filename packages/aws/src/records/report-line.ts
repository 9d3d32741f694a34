/** What Lambda itself says of an invocation in its log ("Lambda function logs", REPORT, AWS Lambda Developer Guide). */
export interface Report {
  request: string
  /** Ms from the start of the handler to the end of what went on after the reply. */
  durationMs: number
  billedMs: number
  /** Ms of the start-up, of an environment's first invocation. */
  initMs: number | undefined
  memoryMb: number
  peakMb: number
}

/** @returns undefined for another line */
export function parseReport(line: string): Report | undefined {
  const request = /^REPORT RequestId: (\S+)/.exec(line)?.[1]
  if (request === undefined) return undefined
  const figure = (name: string) => {
    const found = new RegExp(`(?:^|\\t)\\s*${name}: ([\\d.]+)`).exec(line)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  const [durationMs, billedMs, memoryMb, peakMb] = [
    figure('Duration'),
    figure('Billed Duration'),
    figure('Memory Size'),
    figure('Max Memory Used'),
  ]
  if (durationMs === undefined || billedMs === undefined || memoryMb === undefined || peakMb === undefined)
    return undefined
  return { request, durationMs, billedMs, initMs: figure('Init Duration'), memoryMb, peakMb }
}

/** Whether Lambda says of an invocation that it took too long, or that its environment ended; not of one that a task's error ended. */
export function isFailure(line: string): boolean {
  if (!line.startsWith('REPORT RequestId: ')) return false
  return /\tStatus: timeout/.test(line) || /\tError Type: (?:Runtime|Sandbox|Extension)\./.test(line)
}
