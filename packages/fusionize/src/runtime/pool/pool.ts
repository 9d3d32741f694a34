import type { TaskDefinition } from '../../definition.js'
import type { Frame } from '../frames.js'
import { type Item, onLoop, type RunItem } from '../map.js'
import type { Outcome } from '../protocol.js'
import type { Router } from '../router.js'
import { failure } from '../run.js'
import { clock } from '../spans.js'
import { Crew } from './crew.js'
import { CERTAIN_MS, CpuShare } from './share.js'

/** Begins an item: notes it, and runs it as it is told. */
type Begin = (item: Item, runOne: RunItem) => Promise<Outcome>

interface Waiting {
  task: string
  begin(runOne: RunItem): void
}

/** The threads or processes on which CPU-bound items of a function run, as many as it has cores; each is started when it is first needed. */
export class Pool {
  private readonly share = new CpuShare()
  private readonly members = new Set<Crew>()
  private readonly queue: Waiting[] = []
  private readonly poolable: ReadonlySet<string>

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

  /** Runs items, here or on the event loop of the sandbox. @returns their outcomes; none rejects */
  run({ name }: TaskDefinition, items: readonly Item[], begin: Begin): Promise<Outcome>[] {
    const started = clock()
    const before = performance.eventLoopUtilization()
    const here: Promise<Outcome>[] = []
    let blocked = 0
    const outcomes = items.map((item) => {
      if (this.wants(name)) return new Promise<Outcome>((resolve) => this.enqueue(name, item, begin, resolve))
      const at = clock()
      const outcome = begin(item, onLoop)
      // Known before any is over: nothing else could run meanwhile.
      blocked += clock() - at
      if (blocked >= CERTAIN_MS) this.share.note(name, blocked, blocked, here.length + 1)
      here.push(outcome)
      return outcome
    })
    if (here.length === items.length)
      void Promise.all(here).then(() => {
        const { active } = performance.eventLoopUtilization(before)
        this.share.note(name, active, clock() - started, items.length)
      })
    this.pump()
    return outcomes
  }

  private wants(task: string): boolean {
    return this.parallel !== undefined || this.share.isBound(task)
  }

  private enqueue(task: string, item: Item, begin: Begin, resolve: (outcome: Outcome) => void): void {
    this.queue.push({ task, begin: (runOne) => void begin(item, runOne).then(resolve) })
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

  private member(): Crew | undefined {
    let best: Crew | undefined
    for (const member of this.members)
      if (member.free && (best === undefined || member.running < best.running)) best = member
    if (best?.running === 0 || this.members.size === this.width) return best
    const member = new Crew(this.file, this.router, this.parallel, this.width, {
      free: () => this.pump(),
      measured: (task, activeMs, elapsedMs) => this.share.note(task, activeMs, elapsedMs, 1),
      gone: () => {
        this.members.delete(member)
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
