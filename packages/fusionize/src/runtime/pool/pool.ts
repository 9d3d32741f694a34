import type { TaskDefinition } from '../../definition.js'
import type { Frame } from '../frames.js'
import { onLoop, type RunItem } from '../map.js'
import type { Outcome } from '../protocol.js'
import type { Router } from '../router.js'
import { failure } from '../run.js'
import { clock } from '../spans.js'
import { Member } from './member.js'
import { CERTAIN_MS, CpuShare } from './share.js'

/** Opens a function's pool; nothing where one core is all there is. */
export type OpenPool = (router: Router) => Pool | undefined

/** An item that waits for its turn. */
interface Waiting {
  task: string
  begin(runOne: RunItem): void
}

/** The threads or processes on which CPU-bound items of a function run, as many as it has cores; each is started when it is first needed. */
export class Pool {
  private readonly share = new CpuShare()
  private readonly members = new Set<Member>()
  private readonly queue: Waiting[] = []
  private readonly poolable: ReadonlySet<string>
  /** Items that were begun twice, since their member ended before it could say that they had. */
  private readonly retried = new WeakSet<Frame>()
  private broken = false

  constructor(
    /** URL of this sandbox's artifact. */
    private readonly file: string,
    private readonly router: Router,
    /** Absent: where items run is chosen by what their task's took before. */
    private readonly parallel: 'threads' | 'processes' | undefined,
    poolable: readonly string[],
    private readonly width: number,
  ) {
    this.poolable = new Set(poolable)
  }

  /** Whether items of the task may run here; one alone gains nothing by it. */
  takes({ name }: TaskDefinition, items: number): boolean {
    return items > 1 && this.poolable.has(name)
  }

  /**
   * Runs items of the task, in the pool or on the event loop of the sandbox.
   * @param here runs an item on the loop, at once
   * @param later called at once for an item that waits for a member; what it returns begins the item
   */
  run<T>(
    task: string,
    count: number,
    here: (i: number) => Promise<T>,
    later: (i: number) => (runOne: RunItem) => Promise<T>,
  ): Promise<T>[] {
    const started = clock()
    const before = performance.eventLoopUtilization()
    const results: Promise<T>[] = []
    let blockedMs = 0
    let onLoop = 0
    for (let i = 0; i < count; i++) {
      if (this.wants(task)) {
        results.push(new Promise((resolve, reject) => this.enqueue(task, later(i), resolve, reject)))
        continue
      }
      const at = clock()
      results.push(here(i))
      onLoop++
      blockedMs += clock() - at
      // Known before any is over: nothing else could run meanwhile.
      if (blockedMs >= CERTAIN_MS) this.share.note(task, blockedMs, blockedMs, onLoop)
    }
    if (onLoop === count)
      void Promise.allSettled(results).then(() => {
        const { active } = performance.eventLoopUtilization(before)
        this.share.note(task, active, clock() - started, count)
      })
    this.pump()
    return results
  }

  private wants(task: string): boolean {
    return !this.broken && (this.parallel !== undefined || this.share.isBound(task))
  }

  private enqueue<T>(
    task: string,
    begin: (runOne: RunItem) => Promise<T>,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ): void {
    this.queue.push({ task, begin: (runOne) => void begin(runOne).then(resolve, reject) })
  }

  /** An item that its member did not live to begin: nothing of it has happened. */
  private readonly again: RunItem = (frame, input, limitMs, over) =>
    new Promise((resolve, reject) => {
      const { name } = frame.definition
      this.enqueue(name, (runOne) => runOne(frame, input, limitMs, over), resolve, reject)
    })

  /** A member ended before it began anything: what the artifact loads cannot live in one. */
  private cannotStart(how: string): void {
    if (this.broken) return
    this.broken = true
    const message = `no pool for function '${this.router.function}': its module does not load there (a member ${how}); items run on the event loop, as with parallel 'loop'`
    this.router.log({ level: 'warn', task: this.router.function, session: '', message, time: Date.now() })
  }

  /** Hands waiting items to members that can take one. */
  private pump(): void {
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      if (!this.wants(next.task)) {
        this.queue.shift()
        next.begin(onLoop)
        continue
      }
      const member = this.member()
      if (member === undefined) return
      this.queue.shift()
      next.begin((frame, input, limitMs, over) =>
        frame.signal.aborted ? refused(frame, over) : member.run(frame, input, limitMs, over),
      )
    }
  }

  private member(): Member | undefined {
    let best: Member | undefined
    for (const member of this.members)
      if (member.free && (best === undefined || member.running < best.running)) best = member
    if (best?.running === 0 || this.members.size === this.width) return best
    const member = new Member(this.file, this.router, this.parallel, this.width, {
      free: () => this.pump(),
      measured: (task, activeMs, elapsedMs) => this.share.note(task, activeMs, elapsedMs, 1),
      mayRetry: (frame) => !this.retried.has(frame) && this.retried.add(frame) !== undefined,
      again: this.again,
      gone: (how, hadBegun) => {
        this.members.delete(member)
        if (!hadBegun) this.cannotStart(how)
        this.pump()
      },
    })
    this.members.add(member)
    return member
  }
}

/** Nobody waits for it any more. */
function refused(frame: Frame, over: () => void): Promise<Outcome> {
  const { signal } = frame
  frame.run.spans.fail(frame.span, signal.reason)
  over()
  return Promise.resolve(failure(signal.reason))
}
