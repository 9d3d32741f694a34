import type { Clock } from '../clock.js'
import { AwsError } from '../gateway/error.js'
import { Environment, type EnvironmentSpec, type Outcome } from '../sandbox/environment.js'
import type { Reaper } from '../sandbox/reaper.js'
import type { Event } from '../sandbox/runtime-api.js'
import type { Configuration, Functions, LambdaFunction } from './model.js'

/**
 * How long an invocation waits for an environment that has answered but is not quiet yet, ms. The way to a real Lambda and back takes
 * longer than a runtime needs to ask for its next event, so that one caller's calls reuse one environment.
 */
const SOON_QUIET_MS = 50

export interface PoolParts {
  clock: Clock
  reaper: Reaper
  functions: Functions
  /** What an environment of a configuration needs. */
  specOf(configuration: Configuration): Promise<EnvironmentSpec>
}

export interface PoolOptions {
  /** Executions that an account may have at once. */
  accountConcurrency: number
  /** How long an environment that nobody uses stays, ms of the double's clock. */
  idleMs: number
}

export interface Execution {
  outcome: Outcome
  /** Version that ran. */
  version: string
  /** The invocation's log, once the environment is frozen again or dead. */
  log: Promise<string>
}

/**
 * Execution environments by configuration: used again, one invocation at a time, ended when idle or retired.
 * Not imitated: the rate at which Lambda adds environments, provisioned concurrency, environments that are started ahead of need.
 */
export class Pool {
  readonly options: PoolOptions
  readonly #parts: PoolParts
  readonly #environments = new Map<Environment, Configuration>()
  readonly #retired = new Set<string>()
  /** Invocations under way, by function; an environment whose extensions still run counts. */
  readonly #inUse = new Map<string, number>()
  /** Environments that have answered and whose extensions, or the runtime itself, still work. */
  readonly #answered = new Map<Environment, Promise<unknown>>()
  /** Environments for whose end there is a timer. */
  readonly #expiring = new Set<Environment>()
  readonly #ending = new Set<Promise<unknown>>()

  constructor(parts: PoolParts, options: PoolOptions) {
    this.#parts = parts
    this.options = options
  }

  /** All that live, with the configuration that they run. */
  list(): { environment: Environment; configuration: Configuration }[] {
    return [...this.#environments]
      .filter(([{ phase }]) => phase !== 'dead')
      .map(([environment, configuration]) => ({ environment, configuration }))
  }

  /**
   * Runs an event in an idle environment of the configuration or a new one.
   *
   * @throws AwsError `TooManyRequestsException` where the function's or the account's concurrency is used up.
   */
  async execute(
    fn: LambdaFunction,
    configuration: Configuration,
    event: Omit<Event, 'deadlineMs'>,
  ): Promise<Execution> {
    await this.#soonIdle(configuration)
    this.#take(fn)
    let release = () => this.#release(fn)
    try {
      const environment = this.#idle(configuration) ?? (await this.#start(configuration))
      const run = environment.invoke(event)
      const log = run.ended.finally(() => {
        this.#answered.delete(environment)
        this.#release(fn)
        this.#settle(environment, configuration)
      })
      this.#track(log)
      release = () => {}
      const outcome = await run.outcome
      if (environment.phase === 'busy') this.#answered.set(environment, log)
      return { outcome, version: configuration.Version, log }
    } finally {
      release()
    }
  }

  /** The configuration gets no more invocations: its idle environments end now, the others after their invocation. */
  retire(configuration: Configuration): void {
    this.#retired.add(configuration.RevisionId)
    for (const [environment, { RevisionId }] of this.#environments)
      if (RevisionId === configuration.RevisionId && environment.phase === 'idle') this.#end(environment)
  }

  /** Takes an environment that was killed off the list. */
  forget(environment: Environment): void {
    this.#environments.delete(environment)
  }

  /** Ends every environment and waits for those that are ending. */
  async close(): Promise<void> {
    for (const environment of this.#environments.keys()) this.#end(environment)
    await Promise.allSettled(this.#ending)
  }

  #take(fn: LambdaFunction): void {
    const { functions } = this.#parts
    const used = this.#inUse.get(fn.name) ?? 0
    const all = [...functions.values()]
    if (fn.reservedConcurrency !== undefined) {
      if (used >= fn.reservedConcurrency) throw throttled('ReservedFunctionConcurrentInvocationLimitExceeded')
    } else {
      const shared = all.filter((x) => x.reservedConcurrency === undefined)
      const usedByShared = shared.reduce((sum, x) => sum + (this.#inUse.get(x.name) ?? 0), 0)
      if (usedByShared >= unreserved(this.options.accountConcurrency, functions))
        throw throttled('ConcurrentInvocationLimitExceeded')
    }
    this.#inUse.set(fn.name, used + 1)
  }

  #release(fn: LambdaFunction): void {
    this.#inUse.set(fn.name, (this.#inUse.get(fn.name) ?? 1) - 1)
  }

  #idle(configuration: Configuration): Environment | undefined {
    for (const [environment, { RevisionId }] of this.#environments)
      if (RevisionId === configuration.RevisionId && environment.phase === 'idle') {
        // Taken at once: who asks next must not get it too.
        environment.phase = 'busy'
        return environment
      }
    return undefined
  }

  async #soonIdle({ RevisionId }: Configuration): Promise<void> {
    const mine = [...this.#environments]
      .filter(([, x]) => x.RevisionId === RevisionId)
      .map(([environment]) => environment)
    if (mine.some(({ phase }) => phase === 'idle')) return
    const answered = mine.map((environment) => this.#answered.get(environment)).filter((ended) => ended !== undefined)
    if (answered.length > 0)
      await Promise.race([...answered, new Promise((resolve) => setTimeout(resolve, SOON_QUIET_MS))])
  }

  async #start(configuration: Configuration): Promise<Environment> {
    const environment = new Environment(await this.#parts.specOf(configuration), this.#parts.clock)
    this.#environments.set(environment, configuration)
    await environment.start(this.#parts.reaper)
    if (environment.phase === 'idle') environment.phase = 'busy'
    return environment
  }

  #settle(environment: Environment, configuration: Configuration) {
    if (environment.phase === 'dead' || this.#retired.has(configuration.RevisionId)) return this.#end(environment)
    if (!this.#expiring.has(environment)) this.#expire(environment, this.options.idleMs)
  }

  /** Ends the environment once it was idle for long enough. */
  #expire(environment: Environment, waitMs: number): void {
    const { clock } = this.#parts
    this.#expiring.add(environment)
    clock.after(waitMs, () => {
      this.#expiring.delete(environment)
      if (environment.phase === 'dead') return
      const restMs = environment.usedMs + this.options.idleMs - clock.now()
      if (environment.phase === 'idle' && restMs <= 0) this.#end(environment)
      else this.#expire(environment, Math.max(restMs, 1))
    })
  }

  #end(environment: Environment): void {
    this.#environments.delete(environment)
    this.#track(environment.kill())
  }

  #track(work: Promise<unknown>): void {
    this.#ending.add(work)
    void work.finally(() => this.#ending.delete(work))
  }
}

/** What functions without a reservation share. */
export function unreserved(accountConcurrency: number, functions: Functions): number {
  return accountConcurrency - [...functions.values()].reduce((sum, x) => sum + (x.reservedConcurrency ?? 0), 0)
}

function throttled(reason: string): AwsError {
  return new AwsError(
    'TooManyRequestsException',
    429,
    'Rate Exceeded.',
    { Reason: reason, retryAfterSeconds: '1' },
    { 'retry-after': '1' },
  )
}
