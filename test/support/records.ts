import { type InvocationRecord, spanId } from 'fusionize/record'
import type { Mode, Route } from 'fusionize/setup'

/** A call as the records show it. */
export interface Call {
  session: string
  /** The function that the caller ran in. */
  function: string
  from: string
  mode: Mode
  to: string
  route: Route
  /** The callee's own record, when the route was remote. */
  callee?: InvocationRecord
}

/** Every call that the records tell of. */
export function callsIn(records: readonly InvocationRecord[]): Call[] {
  const byParent = new Map(records.map((record) => [record.parent, record]))
  return records.flatMap((record) =>
    record.spans.flatMap((span, i) => {
      const from = record.spans[span.parent]?.task
      if (from === undefined) return []
      const callee = span.route === 'remote' ? byParent.get(spanId(record.span, i)) : undefined
      const { session, function: fn } = record
      const call: Call = { session, function: fn, from, mode: span.mode, to: span.task, route: span.route }
      return [callee ? { ...call, callee } : call]
    }),
  )
}
