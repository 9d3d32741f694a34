import type { FunctionLog, LocalPlatform } from '@fusionize/local'
import { formatLog } from '../terminal/log-line.js'
import { appendLogs } from './log-file.js'
import { poll } from './poll.js'

/** Shows what functions write, and keeps it for `fusionize logs`. */
export function pumpLogs(platform: Pick<LocalPlatform, 'logs'>, stateDir: string, show: (line: string) => void) {
  let cursor: string | undefined
  return poll(50, async () => {
    const page = await platform.logs(cursor)
    cursor = page.next
    if (page.entries.length === 0) return
    appendLogs(stateDir, page.entries)
    for (const entry of page.entries as FunctionLog[]) show(formatLog(entry))
  })
}
