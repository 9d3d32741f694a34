import type { FailureRecord } from './async-queue.js'
import type { LambdaSystem } from './start.js'

/** One execution environment, as a test sees it. */
export interface SeenEnvironment {
  functionName: string
  version: string
  /** Of the process, which is the leader of its group. */
  pid: number | undefined
  phase: 'init' | 'idle' | 'busy' | 'dead'
}

/** What a test can do to Lambda, and see of it, past the API. */
export class LambdaControls {
  readonly #system: LambdaSystem

  constructor(system: LambdaSystem) {
    this.#system = system
  }

  /** Execution environments that live. */
  environments(functionName?: string): SeenEnvironment[] {
    return this.#system.pool
      .list()
      .map(({ environment, configuration }) => ({
        functionName: configuration.FunctionName,
        version: configuration.Version,
        pid: environment.pid,
        phase: environment.phase,
      }))
      .filter((x) => functionName === undefined || x.functionName === functionName)
  }

  /** Kills the environments of a function in whatever they do, as Lambda may at any time. */
  async killEnvironments(functionName: string): Promise<void> {
    const mine = this.#system.pool.list().filter(({ configuration }) => configuration.FunctionName === functionName)
    await Promise.all(mine.map(({ environment }) => environment.kill()))
    for (const { environment } of mine) this.#system.pool.forget(environment)
  }

  /** Folder with all that environments have on disk. */
  get folder(): string {
    return this.#system.folder
  }

  /** Removes a function as somebody else would, with no call recorded. */
  deleteFunction(name: string): void {
    this.#system.changes.remove(name, null)
  }

  /** Items in a page of a list at most; 50 in Lambda. */
  set pageSize(size: number) {
    this.#system.service.pageSize = size
    this.#system.mappings.pageSize = size
  }

  /** How long a new function is Pending and an update InProgress, ms of the double's clock. */
  set settleMs(ms: number) {
    this.#system.timing.settleMs = ms
  }

  set accountConcurrency(executions: number) {
    this.#system.pool.options.accountConcurrency = executions
  }

  /** Asynchronous events that are neither done nor given up. */
  get queued(): number {
    return this.#system.queue.length
  }

  /** Resolves when every asynchronous event is done or given up. */
  drained(): Promise<void> {
    return this.#system.queue.drained()
  }

  /** Records of failure that their destination did not take, and why. */
  get undelivered(): readonly { record: FailureRecord; reason: string }[] {
    return this.#system.queue.undelivered
  }

  /** Asynchronous events that were given up, oldest first. */
  get failed(): readonly FailureRecord[] {
    return this.#system.queue.failed
  }
}
