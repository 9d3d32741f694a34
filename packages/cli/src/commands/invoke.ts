import { setTimeout as wait } from 'node:timers/promises'
import type { InvokeResult } from '@fusionize/platform'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import type { Payload } from 'fusionize/runtime'
import type { Host } from '../app/host.js'
import { appDir } from '../app/load-app.js'
import { deployedArg, openHost } from '../app/open-host.js'
import { requireTask } from '../app/own-host.js'
import { command } from '../terminal/command.js'
import { Failure } from '../terminal/failure.js'
import { stopSignal } from '../terminal/lifetime.js'
import { createOutput } from '../terminal/output.js'
import { formatTaskError } from '../terminal/task-error.js'
import { timesTable } from '../terminal/times.js'
import { inputArgs, readInput } from './input.js'

/** Ms that the records of a finished request may take to be written; those of what is deployed come through its logs. */
const RECORD_WAIT_MS = { here: 2000, deployed: 60_000 }

export default command({
  help: {
    name: 'invoke',
    description: 'Run a task and print its output; by the running dev server, else here, or where it is deployed',
    examples: [
      [`invoke greet '"Ada"'`, 'the input is JSON'],
      ['invoke check @reading.json --time', 'from a file; then what ran where, and how long'],
      ['invoke resize - --bytes < in.png > out.png', 'bytes in, bytes out'],
    ],
    json: '{ ok: true, output, session, ms } or, with exit code 1, { error: { name, message, code, stack } }\nBytes are { base64 }. With --time: invocations: [{ function, task, coldMs, ms, spans: [{ task, mode, route, startMs, ms }] }]',
  },
  args: {
    ...inputArgs,
    ...deployedArg,
    time: { type: 'boolean', default: false, description: 'Also print what ran where, and how long' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const dir = appDir(args.cwd)
    const input = await readInput(args.input, args.bytes)
    const { host, own } = await openHost(args.cwd, args.deployed, out)
    if (own) requireTask(own, args.task)
    const cursor = args.time ? await lastCursor(host) : undefined
    const start = performance.now()
    const result = await host.invoke(args.task, input, { signal: stopSignal })
    const ms = performance.now() - start
    await own?.platform.drained()
    const records = args.time
      ? await recordsOf(host, cursor, result.session, RECORD_WAIT_MS[args.deployed ? 'deployed' : 'here'])
      : []
    if (!result.ok) {
      if (args.time) out.note(timesTable(records, ms))
      throw new Failure(formatTaskError(result.error, dir), { ...result.error })
    }
    print(result, out.json, { session: result.session, ms, ...(args.time && { invocations: records.map(summary) }) })
    if (args.time) out.note(timesTable(records, ms))
  },
})

function print(result: InvokeResult & { ok: true }, json: boolean, more: object): void {
  const { output } = result
  if (json) {
    console.log(JSON.stringify({ ok: true, output: toJson(output), ...more }, null, 2))
  } else if (typeof output === 'string') {
    console.log(JSON.stringify(JSON.parse(output), null, 2))
  } else if (output !== undefined) process.stdout.write(output)
}

function toJson(output: Payload): unknown {
  if (typeof output === 'string') return JSON.parse(output)
  return output === undefined ? null : { base64: Buffer.from(output).toString('base64') }
}

async function lastCursor(host: Host): Promise<string | undefined> {
  let page = await host.records()
  while (page.lines.length > 0) page = await host.records(page.next)
  return page.next
}

/** The records of a session; waits for the one of its entry, which is written after the reply. */
async function recordsOf(
  host: Host,
  cursor: string | undefined,
  session: string,
  waitMs: number,
): Promise<InvocationRecord[]> {
  const found: InvocationRecord[] = []
  const until = performance.now() + waitMs
  let at = cursor
  while (performance.now() < until) {
    const page = await host.records(at)
    at = page.next
    found.push(...page.lines.map(parseRecord).filter((record) => record.session === session))
    if (found.some((record) => record.parent === null)) break
    await wait(50)
  }
  return found.sort((a, b) => a.start - b.start)
}

function summary(record: InvocationRecord) {
  const spans = record.spans.map(({ task, mode, route, start, end, error }) => {
    return { task, mode, route, startMs: start, ms: end - start, ...(error === undefined ? {} : { error }) }
  })
  return { function: record.function, task: record.task, coldMs: record.cold, ms: record.wall, spans }
}
