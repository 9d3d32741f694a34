import type { FunctionLog } from '@fusionize/local'
import pc from 'picocolors'

const paint = { debug: pc.dim, info: pc.cyan, warn: pc.yellow, error: pc.red }

/** A log entry as one line for people; what it carries besides its message follows on the same line. */
export function formatLog(entry: FunctionLog, withTime = false): string {
  const time = withTime ? `${pc.dim(new Date(entry.time).toISOString().slice(11, 23))} ` : ''
  const level = (paint[entry.level] ?? pc.dim)(entry.level.padEnd(5))
  const from = entry.task || entry.function
  const data = entry.data === undefined ? '' : ` ${pc.dim(entry.data)}`
  return `${time}${level} ${pc.bold(from)} ${entry.message.trimEnd()}${data}`
}
