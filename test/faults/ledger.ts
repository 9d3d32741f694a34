import { closeSync, type FSWatcher, openSync, readSync, watch, writeFileSync } from 'node:fs'

/** What the tasks of the fixture `ledger` noted in a file; read as it grows. */
export class Ledger {
  /** How often each request ran a task to its end: task → request → times. */
  readonly runs = new Map<string, Map<number, number>>()
  /** What began in a process and has not ended there: process → `task n` → request. */
  readonly underWay = new Map<number, Map<string, number>>()
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafe(65_536)
  #rest = ''

  constructor(readonly file: string) {
    writeFileSync(file, '')
    this.#fd = openSync(file, 'r')
  }

  /** Calls back when the file has grown. */
  watch(then: () => void): FSWatcher {
    return watch(this.file, then)
  }

  /** Requests that ran the task to its end. */
  ended(task: string): ReadonlyMap<number, number> {
    return this.runs.get(task) ?? new Map()
  }

  read(): void {
    for (;;) {
      const length = readSync(this.#fd, this.#buffer)
      if (length === 0) return
      const lines = (this.#rest + this.#buffer.toString('utf8', 0, length)).split('\n')
      this.#rest = lines.pop() as string
      for (const line of lines) this.#note(line)
    }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #note(line: string): void {
    const [what, task, request, process] = line.split(' ') as [string, string, string, string]
    const [n, pid] = [Number(request), Number(process)]
    const open = this.underWay.get(pid) ?? new Map<string, number>()
    this.underWay.set(pid, open)
    if (what === 'begin') {
      open.set(`${task} ${n}`, n)
      return
    }
    open.delete(`${task} ${n}`)
    const runs = this.runs.get(task) ?? new Map<number, number>()
    this.runs.set(task, runs)
    runs.set(n, (runs.get(n) ?? 0) + 1)
  }
}
