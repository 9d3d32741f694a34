import type { Clock } from '../clock.js'
import { type ProcessSpec, SandboxProcess } from './process.js'
import type { Reaper } from './reaper.js'
import { initStart, type LogLine, reportLine } from './report.js'
import { type Answer, type Event, RuntimeApi } from './runtime-api.js'
import type { StreamedAnswer } from './streamed-answer.js'

export interface EnvironmentSpec {
  functionName: string
  version: string
  handler: string
  memoryMb: number
  timeoutMs: number
  /** Longest that initialization may take, ms. */
  initLimitMs: number
  /** Everything but where the Runtime API is. */
  process: ProcessSpec
  /** One line or message of the function's log. */
  log: LogLine
}

/** How an invocation went. */
export interface Finished {
  payload: Buffer
  isError: boolean
}

/** What there is of an invocation once it is answered: all, or the beginning of a stream. */
export type Outcome = Finished | StreamedAnswer

/** An invocation under way: the answer comes first, the end when extensions have ended as well. */
export interface Run {
  outcome: Promise<Outcome>
  /** Resolves with the invocation's log when the environment is frozen again, or dead. */
  ended: Promise<string>
}

type Phase = 'init' | 'idle' | 'busy' | 'dead'

interface Current {
  event: Event
  startedMs: number
  log: string
  timer: NodeJS.Timeout
  answer(outcome: Outcome): void
  end(log: string): void
  isAnswered: boolean
  status?: 'timeout' | 'error'
  errorType?: string
}

/** Why an environment will take no invocation any more. */
interface Failure {
  errorType: string
  errorMessage: string
  /** As the runtime posted it; else made of the above. */
  payload?: Buffer
}

/**
 * One execution environment: a process under Amazon's runtime client, one invocation at a time, frozen between them.
 * Not imitated: the share of a CPU that the memory size gives, the end for want of memory, the peak that a killed process had in its last
 * invocation, the file system's limits, a second try of a failed initialization, isolation of any kind.
 */
export class Environment {
  phase: Phase = 'init'
  /** Epoch ms of the double's clock at which it was last used. */
  usedMs: number
  readonly spec: EnvironmentSpec
  readonly #api: RuntimeApi
  readonly #clock: Clock
  #process: SandboxProcess | undefined
  #current: Current | undefined
  #failure: Failure | undefined
  #initMs: number | undefined
  #endInit: () => void = () => {}

  constructor(spec: EnvironmentSpec, clock: Clock) {
    this.spec = spec
    this.#clock = clock
    this.usedMs = clock.now()
    this.#api = new RuntimeApi(
      {
        onAnswer: (answer) => this.#onAnswer(answer),
        onInitError: (payload) => this.#fail({ errorType: 'Runtime.InitError', errorMessage: '', payload }),
        onQuiet: () => void this.#onQuiet(),
      },
      { functionName: spec.functionName, functionVersion: spec.version, handler: spec.handler },
    )
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Starts the process; resolves when it waits for an event or cannot. */
  async start(reaper: Reaper): Promise<void> {
    const startedMs = performance.now()
    this.spec.log(initStart())
    const { process: spec } = this.spec
    const api = await this.#api.listen()
    const ready = new Promise<void>((resolve) => {
      this.#endInit = resolve
    })
    const listener = {
      onLine: (line: string) => this.#onLine(line),
      onExit: (reason: string | undefined) => this.#onExit(reason),
    }
    this.#process = new SandboxProcess({ ...spec, env: { ...spec.env, AWS_LAMBDA_RUNTIME_API: api } }, listener, reaper)
    const timer = setTimeout(() => {
      const text = `Init phase timed out after ${(this.spec.initLimitMs / 1000).toFixed(2)} seconds`
      this.#fail({ errorType: 'Sandbox.Timedout', errorMessage: text })
      void this.kill()
    }, this.spec.initLimitMs)
    await ready
    clearTimeout(timer)
    this.#initMs = performance.now() - startedMs
  }

  /** Runs an invocation; the environment must be started and not busy. */
  invoke(event: Omit<Event, 'deadlineMs'>): Run {
    let answer: Current['answer'] = () => {}
    let end: Current['end'] = () => {}
    const outcome = new Promise<Outcome>((resolve) => {
      answer = resolve
    })
    const ended = new Promise<string>((resolve) => {
      end = resolve
    })
    const timer = setTimeout(() => this.#timeOut(), this.spec.timeoutMs)
    const full = { ...event, deadlineMs: Date.now() + this.spec.timeoutMs }
    this.#current = { event: full, startedMs: performance.now(), log: '', timer, answer, end, isAnswered: false }
    this.#log(`START RequestId: ${event.requestId} Version: ${this.spec.version}\n`)
    if (this.#failure) this.#finishFailed(this.#failure)
    else {
      this.phase = 'busy'
      this.#process?.thaw()
      this.#api.deliver(full)
    }
    return { outcome, ended }
  }

  /** Ends the processes, in whatever state they are. */
  async kill(): Promise<void> {
    this.phase = 'dead'
    await this.#process?.kill()
    this.#api.close()
  }

  #isDead(): boolean {
    return this.phase === 'dead'
  }

  async #onQuiet(): Promise<void> {
    if (this.#isDead()) return
    // What it wrote before it asked is in the pipe by now.
    await nextTurn()
    await nextTurn()
    if (this.#isDead()) return
    this.#process?.freeze()
    const wasBusy = this.#current !== undefined
    this.phase = 'idle'
    if (wasBusy) this.#finish()
    else this.#endInit()
  }

  #onLine(line: string): void {
    // The runtime client writes a message of several lines as one, with carriage returns in it.
    this.#log(`${line.replaceAll('\r', '\n')}\n`)
  }

  #onAnswer(answer: Answer): void {
    const current = this.#current
    if (!current || current.isAnswered) return
    current.isAnswered = true
    current.answer('chunks' in answer ? answer : { payload: answer.payload, isError: !answer.ok })
  }

  #timeOut(): void {
    const current = this.#current
    if (!current) return
    const text = `Task timed out after ${(this.spec.timeoutMs / 1000).toFixed(2)} seconds`
    current.status = 'timeout'
    this.#failure = {
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${current.event.requestId} Error: ${text}`,
    }
    this.#log(`${new Date(this.#clock.now()).toISOString()} ${current.event.requestId} ${text}\n\n`)
    void this.kill()
  }

  #onExit(reason: string | undefined): void {
    this.phase = 'dead'
    this.#api.close()
    const how =
      reason === undefined ? 'Runtime exited without providing a reason' : `Runtime exited with error: ${reason}`
    const requestId = this.#current?.event.requestId
    const prefix = requestId ? `RequestId: ${requestId} ` : ''
    this.#fail({ errorType: 'Runtime.ExitError', errorMessage: `${prefix}Error: ${how}` })
    if (this.#current) this.#finishFailed(this.#failure as Failure)
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure
    this.#endInit()
  }

  #finishFailed(failure: Failure): void {
    const current = this.#current
    if (!current) return
    if (!current.isAnswered) {
      const { errorType, errorMessage } = failure
      const payload = failure.payload ?? Buffer.from(JSON.stringify({ errorType, errorMessage }))
      current.isAnswered = true
      current.status ??= 'error'
      current.errorType = failure.payload ? errorTypeOf(failure.payload) : errorType
      current.answer({ payload, isError: true })
    }
    this.#finish()
    if (this.phase !== 'dead') void this.kill()
  }

  #finish(): void {
    const current = this.#current
    if (!current) return
    clearTimeout(current.timer)
    this.#log(`END RequestId: ${current.event.requestId}\n`)
    this.#log(
      reportLine({
        requestId: current.event.requestId,
        durationMs: Math.min(performance.now() - current.startedMs, this.spec.timeoutMs),
        initMs: this.#initMs,
        memoryMb: this.spec.memoryMb,
        peakMb: Math.min(this.#process?.peakMemoryMb() ?? this.spec.memoryMb, this.spec.memoryMb),
        status: current.status,
        errorType: current.errorType,
      }),
    )
    this.#initMs = undefined
    this.#current = undefined
    this.usedMs = this.#clock.now()
    current.end(current.log)
  }

  #log(message: string): void {
    if (this.#current) this.#current.log += message
    this.spec.log(message)
  }
}

function errorTypeOf(payload: Buffer): string {
  try {
    return String((JSON.parse(payload.toString('utf8')) as { errorType?: string }).errorType ?? 'Error')
  } catch {
    return 'Error'
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
