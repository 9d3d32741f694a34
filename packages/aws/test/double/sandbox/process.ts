import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Reaper } from './reaper.js'

export interface ProcessSpec {
  command: string
  args: string[]
  folder: string
  env: Record<string, string>
}

export interface ProcessListener {
  onLine(line: string): void
  /** `exit status 1`, `signal: killed` …; undefined where it ended with 0. */
  onExit(reason: string | undefined): void
}

/** The processes of one execution environment: a group that can be frozen. */
export class SandboxProcess {
  readonly #child: ChildProcess
  readonly #reaper: Reaper
  readonly #ended: Promise<void>
  #isAlive = true
  #peakMb: number | undefined

  constructor(spec: ProcessSpec, listener: ProcessListener, reaper: Reaper) {
    this.#reaper = reaper
    this.#child = spawn(spec.command, spec.args, {
      cwd: spec.folder,
      env: spec.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (this.#child.pid) reaper.watch(this.#child.pid)
    for (const stream of [this.#child.stdout, this.#child.stderr]) if (stream) readLines(stream, listener)
    this.#ended = new Promise((resolve) => {
      const end = (reason: string | undefined) => {
        listener.onExit(reason)
        resolve()
      }
      this.#child.once('exit', () => this.#endGroup())
      this.#child.once('error', (error) => end(error.message))
      this.#child.once('close', (code, signal) => end(reasonOf(code, signal)))
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  freeze(): void {
    if (this.#isAlive && this.pid) signalGroup(this.pid, 'SIGSTOP')
  }

  thaw(): void {
    // Should it be killed, nobody can read it any more.
    this.peakMemoryMb()
    if (this.#isAlive && this.pid) signalGroup(this.pid, 'SIGCONT')
  }

  async kill(): Promise<void> {
    if (this.#isAlive && this.pid) signalGroup(this.pid, 'SIGKILL')
    await this.#ended
  }

  /** What a process started must not outlive it. */
  #endGroup(): void {
    this.#isAlive = false
    if (!this.pid) return
    signalGroup(this.pid, 'SIGKILL')
    this.#reaper.forget(this.pid)
  }

  /** Largest resident memory so far, MB, of one that ended when it was last seen; undefined where the system does not say. */
  peakMemoryMb(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
      const kb = status.match(/VmHWM:\s+(\d+) kB/)?.[1]
      if (kb !== undefined) this.#peakMb = Math.ceil(Number(kb) / 1024)
    } catch {
      // It ended.
    }
    return this.#peakMb
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It ended in the meantime.
  }
}

function readLines(stream: NodeJS.ReadableStream, listener: ProcessListener): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) listener.onLine(line)
  })
  stream.on('end', () => {
    if (rest !== '') listener.onLine(rest)
  })
}

function reasonOf(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal) return `signal: ${signal === 'SIGKILL' ? 'killed' : signal.slice(3).toLowerCase()}`
  return code === 0 ? undefined : `exit status ${code}`
}
