import pc from 'picocolors'

/** Where a command's words go: its result to stdout, everything about getting there to stderr. */
export interface Output {
  readonly json: boolean
  /** The result: the document with `--json`, else the text. Once per command. */
  result(document: unknown, text: () => string): void
  /** A line that belongs to the result of a command that goes on (request logs): stdout, or stderr with `--json`. */
  line(text: string): void
  /** How it goes. */
  note(text: string): void
  warn(text: string): void
}

export function createOutput(json: boolean): Output {
  return {
    json,
    result(document, text) {
      write(process.stdout, json ? JSON.stringify(document, null, 2) : text())
    },
    line: (text) => write(json ? process.stderr : process.stdout, text),
    note: (text) => write(process.stderr, pc.dim(text)),
    warn: (text) => write(process.stderr, `${pc.yellow('warning')} ${text}`),
  }
}

function write(stream: NodeJS.WriteStream, text: string): void {
  if (text !== '') stream.write(`${text}\n`)
}
