import { type Document, isObject } from './format.js'
import { createScanner, type Scanner, type Unit } from './json-scanner.js'

export interface ValueEvents {
  value(document: Document, line: number): void
  broken(line: number, why: string): void
  /** Whether it is a document that stands for itself: then the one around it is broken. */
  isDocument(value: Document): boolean
}

/** Text of JSON in, its documents out. */
export interface ValueReader {
  /** Any piece of the text. */
  feed(text: string): void
  end(): void
}

/** A longer line is read piece by piece, characters. */
const LONG_LINE = 8 * 2 ** 20
/** Spans that wait for the resource that stands behind them. */
const MOST_HELD = 10_000

/**
 * Documents of a text that is JSON lines, one document over many lines, a list, or several of these one after the other, in memory that does
 * not grow with the text. What is broken is told with its line, and reading goes on with the next line that begins a document.
 */
export function readValues(events: ValueEvents): ValueReader {
  let lineNumber = 1
  let line = ''
  let scanner: Scanner | undefined
  /** After something broken: what is left of it is passed over. */
  let lost = false
  let lostLine = false
  /** Within a line so long that it goes to the scanner piece by piece. */
  let longLine = false
  const parts = partsOf(events)

  const scan = (piece: string) => {
    try {
      scanner ??= createScanner(parts)
      scanner.feed(piece, lineNumber)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      events.broken(lineNumber, error.message)
      parts.reset()
      scanner = undefined
      lost = true
      lostLine = !piece.endsWith('\n')
      longLine = false
    }
  }

  const whole = (text: string): boolean => {
    const trimmed = text.trim()
    if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return false
    const value = parsed(trimmed)
    if (!isObject(value)) return false
    if (scanner && !scanner.idle()) {
      if (!events.isDocument(value)) return false
      events.broken(scanner.open().line, 'the document breaks off')
      parts.reset()
      scanner = undefined
    }
    lost = false
    events.value(value, lineNumber)
    return true
  }

  // Between documents each line is on its own again, but for one whose list is open.
  const settle = () => {
    if (scanner?.idle() && !scanner.inList()) scanner = undefined
  }

  const readLine = (text: string) => {
    const begins = text.charCodeAt(0) === 123 || text.charCodeAt(0) === 91
    if (scanner) {
      if (!(begins && whole(text))) scan(text)
    } else if (text.trim() !== '' && (begins || !lost) && !whole(text)) {
      lost = false
      scan(text)
    }
    settle()
  }

  return {
    feed(text) {
      let from = 0
      while (from < text.length) {
        const at = text.indexOf('\n', from)
        const end = at < 0 ? text.length : at + 1
        const piece = text.slice(from, end)
        from = end
        if (lostLine) lostLine = at < 0
        else if (longLine) {
          longLine = at < 0
          scan(piece)
          if (!longLine) settle()
        } else {
          line += lineNumber === 1 && line === '' ? piece.replace(/^\uFEFF/, '') : piece
          if (at >= 0) {
            readLine(line)
            line = ''
          } else if (line.length > LONG_LINE) {
            longLine = true
            scan(line)
            line = ''
          }
        }
        if (at >= 0) lineNumber++
      }
    },
    end() {
      if (line !== '' && !lostLine) readLine(line)
      line = ''
      if (scanner && !scanner.idle()) {
        const { line: begun, depth } = scanner.open()
        events.broken(begun, `the document breaks off: it ends on line ${lineNumber} with ${depth} brackets open`)
      }
      parts.reset()
      scanner = undefined
    },
  }
}

/** Makes documents of the parts that are cut out of large ones: each span again with its resource. */
function partsOf(events: ValueEvents) {
  let resource: unknown
  let held: { value: unknown; line: number }[] = []
  const tell = (span: unknown, line: number) =>
    events.value({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }, line)
  const release = () => {
    for (const { value, line } of held) tell(value, line)
    held = []
  }
  return {
    unit(unit: Unit, text: string, line: number) {
      if (unit === 'end') {
        release()
        resource = undefined
        return
      }
      const value = parsed(text)
      if (!isObject(value)) events.broken(line, `${unit === 'root' ? 'a document' : `a ${unit}`} that is not JSON`)
      else if (unit === 'resource') {
        resource = value
        release()
      } else if (unit !== 'span') events.value(value, line)
      else if (resource !== undefined) tell(value, line)
      else if (held.push({ value, line }) > MOST_HELD) release()
    },
    reset() {
      release()
      resource = undefined
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
