import type { FunctionLog } from '@fusionize/local'
import { appDir } from '../app/load-app.js'
import { followLogs, readLogs } from '../app/log-file.js'
import { stateDirOf } from '../app/state-dir.js'
import { numberFlag } from '../terminal/check-args.js'
import { command } from '../terminal/command.js'
import { stopSignal } from '../terminal/lifetime.js'
import { formatLog } from '../terminal/log-line.js'
import { createOutput } from '../terminal/output.js'

const levels = ['debug', 'info', 'warn', 'error'] as const

export default command({
  help: {
    name: 'logs',
    description: 'Show what functions wrote, of the running server and of earlier ones',
    examples: [
      ['logs', 'the last 200 entries'],
      ['logs --follow --task receipt', 'and what comes, of one task'],
      ['logs --level warn --last 1000', 'warnings and errors only'],
    ],
    json: '{ entries: [{ time, level, task, function, sandbox, session, message, data?, stream }] }\nWith --follow: one entry a line, without end',
  },
  args: {
    follow: { type: 'boolean', alias: 'f', default: false, description: 'Go on with what comes' },
    task: { type: 'string', valueHint: 'name', description: 'Only of this task' },
    level: { type: 'enum', options: [...levels], description: 'This level and above' },
    last: { type: 'string', valueHint: 'n', default: '200', description: 'Entries at most, the newest' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const stateDir = stateDirOf(appDir(args.cwd))
    const last = numberFlag('last', args.last, { min: 0, whole: true }) as number
    const least = levels.indexOf((args.level ?? 'debug') as (typeof levels)[number])
    const wanted = (entry: FunctionLog) =>
      levels.indexOf(entry.level) >= least && (args.task === undefined || entry.task === args.task)
    const found = (await readLogs(stateDir)).filter(wanted)
    const entries = last === 0 ? [] : found.slice(-last)
    if (!args.follow) {
      if (entries.length === 0) out.note('Nothing was written.')
      out.result({ entries }, () => entries.map((entry) => formatLog(entry, true)).join('\n'))
      return
    }
    const show = (entry: FunctionLog) => console.log(args.json ? JSON.stringify(entry) : formatLog(entry, true))
    for (const entry of entries) show(entry)
    for await (const entry of followLogs(stateDir, stopSignal)) if (wanted(entry)) show(entry)
  },
})
