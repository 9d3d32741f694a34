import type { RequestLog } from '@fusionize/local'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import pc from 'picocolors'
import { formatMs } from '../../terminal/table.js'

/** Ms that a line waits for the record of its request. */
const PATIENCE_MS = 1500
/** Sessions whose counts are kept: records come before the line of their request, and after it. */
const KEPT_SESSIONS = 1000

interface Seen {
  cold: number
  inline: number
  remote: number
  root?: InvocationRecord
}

/** Makes one line of a request and of what its records say about how it ran. */
export function requestLines(show: (line: string) => void) {
  const waiting: { request: RequestLog; since: number }[] = []
  const seen = new Map<string, Seen>()

  return {
    request(request: RequestLog): void {
      if (request.session === undefined) show(requestLine(request))
      else waiting.push({ request, since: performance.now() })
    },
    /** New record lines; call it with none as well, so that nobody waits for ever. */
    records(lines: readonly string[]): void {
      const ready = new Set([...seen].filter(([, { root }]) => root).map(([session]) => session))
      for (const { request, since } of waiting.splice(0)) {
        const session = request.session as string
        // one round later: records of what it called may come after its own
        if (!ready.has(session) && performance.now() - since < PATIENCE_MS) waiting.push({ request, since })
        else {
          show(requestLine(request, seen.get(session)))
          seen.delete(session)
        }
      }
      for (const line of lines) note(parseRecord(line))
      for (const session of seen.keys()) {
        if (seen.size <= KEPT_SESSIONS) break
        seen.delete(session)
      }
    },
  }

  function note(record: InvocationRecord): void {
    const counts = seen.get(record.session) ?? { cold: 0, inline: 0, remote: 0 }
    seen.set(record.session, counts)
    if (record.cold !== null) counts.cold++
    for (const span of record.spans.slice(1)) counts[span.route]++
    if (record.parent === null) counts.root = record
  }
}

function requestLine(request: RequestLog, seen?: Seen): string {
  const { ms, status } = request
  const what = /^\/_fusionize\/(invoke|send)\/(.*)/.exec(request.path)
  const [verb, path] = what ? [what[1] as string, what[2]] : [request.method, request.path]
  const paint = status < 400 ? pc.green : status < 500 ? pc.yellow : pc.red
  const counts = seen
    ? [seen.cold > 0 ? pc.yellow(`${seen.cold} cold`) : '', `${seen.inline} inline`, `${seen.remote} remote`]
    : []
  const error = seen?.root?.spans[0]?.error
  const how = counts.filter((text) => text !== '').join(', ')
  return [
    `${pc.bold(verb)} ${path} ${paint(String(status))} ${formatMs(ms)}`,
    ...(how === '' ? [] : [pc.dim(how)]),
    ...(error === undefined ? [] : [pc.red(error)]),
  ].join('  ')
}
