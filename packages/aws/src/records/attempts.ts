import type { Fired, InvocationRecord } from 'fusionize/record'
import { jsonIn } from './json-in.js'
import { parseReport, type Report } from './report-line.js'

/** An event of a log group, as CloudWatch gives it. */
export interface LogEvent {
  /** Never the same for two events. */
  id: string
  /** Log stream: one for each sandbox. */
  stream: string
  /** Epoch ms. */
  time: number
  line: string
}

/** Who asked for a run. */
export type Asked = Pick<
  InvocationRecord,
  'invocation' | 'session' | 'task' | 'mode' | 'trace' | 'parent' | 'attempt'
> & { fired?: Fired }

/** One try of Lambda at an invocation, as far as the log tells of it. */
export interface Attempt {
  request: string
  stream: string
  records: { event: LogEvent; text: string }[]
  /** Said by the function itself, before anything could go wrong: of attempts that may not be the first. */
  began?: Asked
  report?: { event: LogEvent; report: Report }
}

/**
 * The attempts of a log, in the order in which they ended. All attempts at an event have one id, and some of them one sandbox; so an attempt is
 * what lies between two REPORTs of one id in one stream.
 * @param events in the order of their times
 */
export function attemptsIn(events: readonly LogEvent[]): Attempt[] {
  const all: Attempt[] = []
  const open = new Map<string, Attempt>()
  const ended = new Map<string, Attempt>()
  const keyOf = ({ stream }: LogEvent, request: string) => `${stream} ${request}`
  const openOf = (event: LogEvent, request: string) => {
    const key = keyOf(event, request)
    const attempt = open.get(key) ?? { request, stream: event.stream, records: [] }
    open.set(key, attempt)
    return attempt
  }
  for (const event of events) {
    const report = parseReport(event.line)
    if (report) {
      const attempt = openOf(event, report.request)
      attempt.report = { event, report }
      all.push(attempt)
      const key = keyOf(event, report.request)
      ended.set(key, attempt)
      open.delete(key)
      continue
    }
    const [, kind, request = '', text = ''] =
      /^\{"fusionize":"(record|began)","request":"([^"]*)","(?:record|work)":(\{.*\})\}\s*$/.exec(event.line) ?? []
    const said = kind === undefined ? undefined : jsonIn<Asked>(text)
    if (said === undefined) continue
    if (kind === 'record') openOf(event, request).records.push({ event, text })
    else openOf(event, request).began = said
  }
  for (const [key, attempt] of open) {
    // A run that went on after its time writes its record late.
    const before = ended.get(key)
    if (before && before.records.length === 0 && !before.report?.report.failed) before.records.push(...attempt.records)
    else all.push(attempt)
  }
  return all
}

/** Who asked for each attempt at one event, where any of them says it. @param attempts in order */
export function askedFor(attempts: readonly Attempt[]): (Asked | undefined)[] {
  const place = attempts.findIndex(({ began, records }) => began || records.length === 1)
  const known = attempts[place]
  if (!known) return attempts.map(() => undefined)
  const asked = known.began ?? (JSON.parse(known.records[0]?.text ?? '') as Asked)
  return attempts.map((_, i) => ({ ...asked, attempt: Math.max(1, asked.attempt + i - place) }))
}
