/** A part that is cut out of a document while it is read, so that the document may be larger than memory. */
export type Unit = 'root' | 'resource' | 'span' | 'segment' | 'end'

export interface ScannerEvents {
  /** A document, or a part that was cut out of one. @param line where it begins @param text empty for `end`: the end of what a resource holds for */
  unit(unit: Unit, text: string, line: number): void
}

/** Reads JSON piece by piece. */
export interface Scanner {
  /** @param line of the piece's first character; a piece has at most one line end, as its last character. @throws {SyntaxError} */
  feed(piece: string, line: number): void
  /** Nothing is open. */
  idle(): boolean
  /** A list of documents is open. */
  inList(): boolean
  /** Line on which the open document began, and how many brackets are open. */
  open(): { line: number; depth: number }
}

interface Frame {
  array: boolean
  /** The key, or `#` in a list, that it stands under. */
  name: string
  unit: Unit | undefined
  /** Whether a part was cut out of this list. */
  cut: boolean
}

/** Documents in memory at once, characters. */
const MOST = 64 * 2 ** 20

const [QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [34, 44, 58, 91, 93, 123, 125]
const [TAB, LINE_FEED, RETURN, SPACE] = [9, 10, 13, 32]

/**
 * Cuts a stream of JSON documents into pieces that fit into memory: OTLP's spans one by one (`spans` of `scopeSpans`) and their resources,
 * X-Ray's `Segments`, and whatever else is a document. Lists around documents are looked through. It checks brackets and strings; the rest is
 * left to `JSON.parse`.
 */
export function createScanner(events: ScannerEvents): Scanner {
  const frames: Frame[] = []
  /** One text for the document and for each part that is open in it. */
  const texts: { text: string; line: number }[] = []
  let inString = false
  let escaped = false
  let isKey = false
  let key = ''
  let lists = 0

  const unitOf = (name: string): Unit | undefined => {
    const [above, list] = [frames.at(-1), frames.at(-3)]
    if (!above) return undefined
    if (name === '#' && above.name === 'spans' && list && /^(scopeSpans|instrumentationLibrarySpans)$/.test(list.name))
      return 'span'
    if (name === '#' && above.name === 'Segments') return 'segment'
    // What is left of these when their parts are cut out is of no use.
    if (name === '#' && /^(resourceSpans|batches|Traces)$/.test(above.name)) return 'end'
    if (name === 'resource' && above.name === '#' && /^(resourceSpans|batches)$/.test(frames.at(-2)?.name ?? ''))
      return 'resource'
    return undefined
  }

  return {
    feed(piece, line) {
      // Where the text begins that is not yet kept.
      let from = 0
      let backslash = -2
      const keep = (to: number) => {
        const top = texts.at(-1)
        if (!top || to <= from) return
        const text = piece.slice(from, to)
        if (frames.at(-1)?.cut && /^[\s,]*$/.test(text)) return
        top.text += text
        if (top.text.length > MOST) throw new SyntaxError(`a document of more than ${MOST / 2 ** 20} MB`)
      }
      const open = (i: number, array: boolean) => {
        const above = frames.at(-1)
        const name = above ? (above.array ? '#' : key) : ''
        if (above && !above.array && isKey) throw new SyntaxError('a bracket where a name should be')
        const unit = array ? undefined : unitOf(name)
        if (!above || unit) {
          keep(i)
          from = i
          texts.push({ text: '', line })
        }
        frames.push({ array, name, unit, cut: false })
        isKey = !array
      }
      const close = (i: number, array: boolean) => {
        const frame = frames.at(-1)
        if (frame?.array !== array) throw new SyntaxError('brackets do not match')
        const above = frames.at(-2)
        if (frame.unit || !above) {
          keep(i + 1)
          from = i + 1
          const { text, line: begun } = texts.pop() as { text: string; line: number }
          frames.pop()
          events.unit(frame.unit ?? 'root', frame.unit === 'end' ? '' : text, begun)
          const outer = texts.at(-1)
          if (outer && !above?.cut) outer.text += 'null'
          if (above?.array) above.cut = true
        } else frames.pop()
        isKey = false
      }
      for (let i = 0; i < piece.length; i++) {
        if (inString) {
          if (escaped) {
            escaped = false
            continue
          }
          // Straight to the end of the string: most text is in strings.
          let end = piece.indexOf('"', i)
          if (end < 0) end = piece.length
          if (backslash < i && backslash !== -1) backslash = piece.indexOf('\\', i)
          if (backslash >= 0 && backslash < end) {
            if (isKey) key += piece.slice(i, backslash)
            escaped = true
            i = backslash
            continue
          }
          if (isKey) key += piece.slice(i, end)
          if (end === piece.length) {
            if (piece.charCodeAt(end - 1) === LINE_FEED) throw new SyntaxError('a text that does not end on its line')
            break
          }
          inString = false
          i = end
          continue
        }
        switch (piece.charCodeAt(i)) {
          case QUOTE:
            if (frames.length === 0) throw new SyntaxError('not JSON')
            inString = true
            if (isKey) key = ''
            break
          case OPEN:
            open(i, false)
            break
          case CLOSE:
            close(i, false)
            break
          case OPEN_LIST:
            if (frames.length > 0) open(i, true)
            else lists++
            break
          case CLOSE_LIST:
            if (frames.length > 0) close(i, true)
            else if (lists-- === 0) throw new SyntaxError('brackets do not match')
            break
          case COMMA:
            if (frames.length > 0) isKey = frames.at(-1)?.array === false
            break
          case COLON:
            isKey = false
            break
          case SPACE:
          case TAB:
          case RETURN:
          case LINE_FEED:
            break
          default:
            if (frames.length === 0) throw new SyntaxError('not JSON')
        }
      }
      keep(piece.length)
    },
    idle: () => frames.length === 0,
    inList: () => lists > 0,
    open: () => ({ line: texts[0]?.line ?? 0, depth: frames.length }),
  }
}
