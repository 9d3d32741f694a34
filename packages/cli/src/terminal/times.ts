import type { InvocationRecord } from 'fusionize/record'
import pc from 'picocolors'
import { formatMs, plural, table } from './table.js'

/** What ran where and how long, as the records of one request tell it. */
export function timesTable(records: readonly InvocationRecord[], totalMs: number): string {
  const first = records[0]?.start ?? 0
  const rows = records.flatMap((record) =>
    record.spans
      .filter((span, i) => i === 0 || span.route === 'inline')
      .map((span, i) => {
        const depth = depthOf(record, record.spans.indexOf(span))
        const cold = i === 0 && record.cold !== null ? pc.yellow(`cold, ${formatMs(record.cold)}`) : ''
        const where = i === 0 ? `${record.function} @${record.memory}` : ''
        return [
          where,
          `${'  '.repeat(depth)}${span.task}`,
          span.mode,
          formatMs(record.start - first + span.start),
          formatMs(span.end - span.start),
          cold,
        ]
      }),
  )
  const heading = ['function', 'task', 'mode', 'at', 'took', '']
  const summary = `${formatMs(totalMs)} in all, ${plural(records.length, 'invocation')}`
  return `${table(heading, rows, ['left', 'left', 'left', 'right', 'right'])}\n${summary}`
}

function depthOf(record: InvocationRecord, index: number): number {
  let depth = 0
  for (let at = record.spans[index]?.parent ?? -1; at >= 0; at = record.spans[at]?.parent ?? -1) depth++
  return depth
}
