import { shortText } from './foreign-span.js'
import type { Document, Sink, TraceFormat } from './format.js'
import { formatOf, formats, isPublished, publishedName } from './formats.js'
import { readValues, type ValueReader } from './json-values.js'
import { publishedImporter } from './published.js'
import type { RequestTrace, Skipped } from './types.js'

export interface ImportOptions {
  /** Spans of open traces that are kept; above it the trace that was quiet the longest is closed. @default 400000 */
  maxOpenSpans?: number
  /** Spans of one trace that are kept; the others are left out. @default 10000 */
  maxTraceSpans?: number
}

/** Defaults of `ImportOptions`. */
export const importDefaults = { maxOpenSpans: 400_000, maxTraceSpans: 10_000 } as const

/** What one file held. */
export interface FileSummary {
  file: string
  /** Names of the formats that were found in it. */
  formats: string[]
  spans: number
  skipped: number
}

/** What was read, and what was not. */
export interface ImportSummary {
  files: FileSummary[]
  spans: number
  traces: number
  /** Things that could not be used: broken lines, unknown documents, spans without times, traces without a request. */
  skipped: number
  /** Parts that came twice. */
  duplicates: number
  /** Traces in which the other end of a call is missing. */
  incomplete: number
  /** Limits that were reached. */
  cut: {
    /** Traces closed before the end of the input, to make room. */
    closedEarly: number
    /** Spans of traces that had been closed. */
    lateSpans: number
    /** Traces with more spans than are kept, and the spans left out. */
    longTraces: number
    longTraceSpans: number
  }
}

export interface ImportEvents {
  trace(trace: RequestTrace): void
  skip(skipped: Skipped): void
}

/** Takes the text of one file. */
export interface FileReader extends ValueReader {
  /** The rest of the file cannot be read. */
  damaged(why: string): void
}

/** Reads files of traces, whatever their format, piece by piece. The spans of one trace may be in several files. */
export interface TraceImporter {
  /** Begins a file; the one before must have ended. */
  file(name: string): FileReader
  /** Closes all traces. */
  end(): ImportSummary
}

interface OpenTrace {
  format: TraceFormat
  id: string
  file: string
  items: unknown[]
  spans: number
  left: number
}

/** A trace with few spans takes room of its own, in spans. */
const TRACE_ITSELF = 1

/** Ids of closed traces, and of traces that were joined to others, that are remembered. */
const REMEMBERED = 200_000

/**
 * Makes requests of the traces in files. A trace stays open until the end of the input, or until too many spans are open: memory is bounded
 * by `maxOpenSpans` however large the input.
 */
export function createTraceImporter(events: ImportEvents, options: ImportOptions = {}): TraceImporter {
  const { maxOpenSpans, maxTraceSpans } = { ...importDefaults, ...options }
  const summary: ImportSummary = {
    files: [],
    spans: 0,
    traces: 0,
    skipped: 0,
    duplicates: 0,
    incomplete: 0,
    cut: { closedEarly: 0, lateSpans: 0, longTraces: 0, longTraceSpans: 0 },
  }
  /** The one that was quiet the longest first. */
  const open = new Map<string, OpenTrace>()
  const closed = remembering<true>()
  const joined = remembering<string>()
  let openSpans = 0
  let file: FileSummary = { file: '', formats: [], spans: 0, skipped: 0 }
  let last = ''

  const skip = (skipped: Skipped) => {
    summary.skipped++
    file.skipped++
    events.skip(skipped)
  }

  const close = (key: string, trace: OpenTrace) => {
    open.delete(key)
    openSpans -= trace.spans + TRACE_ITSELF
    if (trace.left > 0) {
      summary.cut.longTraces++
      summary.cut.longTraceSpans += trace.left
    }
    const { format, id } = trace
    const items = [...new Map(trace.items.map((item) => [format.keyOf(item), item])).values()]
    summary.duplicates += trace.items.length - items.length
    const request = format.assemble(id, items)
    if (typeof request === 'string') return skip({ file: trace.file, why: `trace ${shortText(id)}: ${request}` })
    summary.traces++
    if (request.missing) summary.incomplete++
    events.trace(request)
  }

  const makeRoom = () => {
    // A tenth at once: closing one for each span that comes would keep every trace short of its last spans.
    for (const [key, trace] of open) {
      if (openSpans <= maxOpenSpans * 0.9) return
      summary.cut.closedEarly++
      close(key, trace)
      closed.set(key, true)
    }
  }

  const resolve = (key: string): string => {
    let at = key
    for (let hops = 0; hops < 100; hops++) {
      const next = joined.get(at)
      if (next === undefined) return at
      at = next
    }
    return at
  }

  const join = (from: string, to: string) => {
    if (from === to) return
    joined.set(from, to)
    const [moved, kept] = [open.get(from), open.get(to)]
    if (!moved) return
    open.delete(from)
    if (kept) openSpans -= TRACE_ITSELF
    if (!kept) return void open.set(to, { ...moved, id: to.slice(to.indexOf(' ') + 1) })
    for (const item of moved.items) kept.items.push(item)
    kept.spans += moved.spans
    kept.left += moved.left
  }

  const add = (format: TraceFormat, id: string, item: unknown, size: number, joins?: string) => {
    summary.spans += size
    file.spans += size
    let key = resolve(`${format.parts} ${id}`)
    if (joins !== undefined && joins !== id) {
      const to = resolve(`${format.parts} ${joins}`)
      join(key, to)
      key = to
    }
    if (closed.get(key)) {
      summary.cut.lateSpans += size
      return
    }
    let trace = open.get(key)
    if (!trace) {
      trace = { format, id: key.slice(format.parts.length + 1), file: file.file, items: [], spans: 0, left: 0 }
      open.set(key, trace)
      openSpans += TRACE_ITSELF
    } else if (key !== last) {
      open.delete(key)
      open.set(key, trace)
    }
    last = key
    if (trace.spans + size > maxTraceSpans) {
      trace.left += size
      return
    }
    trace.items.push(item)
    trace.spans += size
    openSpans += size
    if (openSpans > maxOpenSpans) makeRoom()
  }

  return {
    file(name) {
      file = { file: name, formats: [], spans: 0, skipped: 0 }
      summary.files.push(file)
      let at = 0
      let format: TraceFormat = formats[0] as TraceFormat
      const sink: Sink<unknown> = {
        item: (trace, item, size, joins) => add(format, trace, item, size, joins),
        skip: (why) => skip({ file: name, line: at, why }),
      }
      /** Records of a file are of one setup, and tell only together what each of them leaves open. */
      let published: ReturnType<typeof publishedImporter> | undefined
      let held = 0
      const endPublished = () => {
        if (!published) return
        const { traces, skipped } = published.end()
        published = undefined
        held = 0
        for (const one of skipped) skip(one)
        for (const trace of traces) {
          summary.traces++
          events.trace({ ...trace, setup: name })
        }
      }
      const addPublished = (document: Document, line: number) => {
        if (!file.formats.includes(publishedName)) file.formats.push(publishedName)
        summary.spans++
        file.spans++
        published ??= publishedImporter()
        published.add(name, line, JSON.stringify(document))
        if (++held < maxOpenSpans) return
        summary.cut.closedEarly++
        endPublished()
      }
      const values = readValues({
        value(document: Document, line) {
          at = line
          if (isPublished(document)) return addPublished(document, line)
          const found = formatOf(document)
          if (typeof found === 'string') return sink.skip(found)
          format = found
          if (!file.formats.includes(format.name)) file.formats.push(format.name)
          try {
            format.read(document, sink)
          } catch (error) {
            if (!(error instanceof SyntaxError)) throw error
            sink.skip(error.message)
          }
        },
        broken: (line, why) => skip({ file: name, line, why }),
        isDocument: (document) => isPublished(document) || typeof formatOf(document) !== 'string',
      })
      const end = () => {
        values.end()
        endPublished()
      }
      return { feed: values.feed, end, damaged: sink.skip }
    },
    end() {
      for (const [key, trace] of open) close(key, trace)
      return summary
    },
  }
}

/** A map that forgets what was set long ago, half of it at once: taking the oldest out one by one costs far more. */
function remembering<T>(): { get(key: string): T | undefined; set(key: string, value: T): void } {
  let [young, old] = [new Map<string, T>(), new Map<string, T>()]
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      young.set(key, value)
      if (young.size < REMEMBERED / 2) return
      old = young
      young = new Map()
    },
  }
}
