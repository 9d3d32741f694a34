import type { Document, TraceFormat } from './format.js'
import { otlp } from './otlp.js'
import { ownRecords } from './own-records.js'
import { xray } from './xray.js'

/** Every format that traces are read from, asked in this order. An importer of another one is plugged in here. */
export const formats: readonly TraceFormat[] = [ownRecords, otlp, xray] as TraceFormat[]

/** For people: the records of Fusionize's 2023 prototype, which `publishedImporter` reads. */
export const publishedName = 'Fusionize 2023 records'

export function isPublished(document: Document): boolean {
  return 'currentFunction' in document && 'calls' in document && 'traceId' in document
}

/** Which format a document is of; else what it is not, in words. */
export function formatOf(document: Document): TraceFormat | string {
  const found = formats.find((format) => format.matches(document))
  if (found) return found
  if ('data' in document && JSON.stringify(document).includes('"spans"'))
    return 'looks like Jaeger JSON; export the traces as OTLP JSON'
  const keys = Object.keys(document).slice(0, 5).join(', ')
  return `no known format (${keys === '' ? 'an empty object' : `fields ${keys}`}); known are ${[...formats.map(({ name }) => name), publishedName].join(', ')}`
}
