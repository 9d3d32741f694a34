import { FusionizeError } from '../../errors.js'
import { parseRecord } from '../../record.js'
import type { Frame } from '../frames.js'
import type { RunItem } from '../map.js'
import type { Outcome, Payload, SandboxInfo } from '../protocol.js'
import type { Router } from '../router.js'
import { failure } from '../run.js'
import { errorToWire } from '../wire-errors.js'
import { type MemberHost, openProcess, openThread } from './hosts.js'
import type { AboutItem, FromMember, Leaving } from './messages.js'
import { PooledItem } from './pooled.js'

/** Ms that a member has to show that its event loop turns, once nobody waits for an item in it any more. */
const GRACE_MS = 500

export interface MemberOwner {
  free(): void
  measured(task: string, activeMs: number, elapsedMs: number): void
  /** Whether an item that had not begun may be tried again. */
  mayRetry(frame: Frame): boolean
  /** Runs an item elsewhere that this member had not begun. */
  again: RunItem
  /** @param hadBegun it had run something */
  gone(how: string, hadBegun: boolean): void
}

/** One member of a pool, as its sandbox sees it: a thread or a process. */
export class Member {
  /** Its event loop turns: it can take an item. */
  free = true
  private readonly items = new Map<number, PooledItem>()
  private readonly leaving = new Map<number, AbortController>()
  private readonly host: MemberHost
  private fatal: string | undefined
  private count = 0
  /** How often its event loop showed itself. */
  private turns = 0
  private hasBegun = false

  constructor(
    file: string,
    private readonly router: Router,
    kind: 'threads' | 'processes' | undefined,
    width: number,
    private readonly owner: MemberOwner,
  ) {
    const open = kind === 'processes' ? openProcess : openThread
    this.host = open(file, router.info as SandboxInfo, width, {
      message: (message) => this.receive(message),
      exit: (how, outOfMemory) => this.gone(how, outOfMemory),
    })
  }

  get running(): number {
    return this.items.size
  }

  run(frame: Frame, input: Payload, limitMs: number | undefined, over: () => void): Promise<Outcome> {
    return new Promise((resolve) => {
      const no = ++this.count
      const again = () => resolve(this.owner.again(frame, input, limitMs, over))
      const item = new PooledItem(no, frame, limitMs, { answer: resolve, over, again })
      this.items.set(no, item)
      this.free = false
      this.host.post({ kind: 'run', item: no, invocation: item.invocation(input), limitMs })
      this.heed(item)
    })
  }

  /** Tells the member when nobody waits for the item any more. */
  private heed(item: PooledItem): void {
    const { signal } = item.frame
    const cancel = () => this.cancel(item, signal.reason)
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
  }

  /** Its time counts from here. */
  private began(item: PooledItem): void {
    const { frame, limitMs, answered, answer } = item
    item.begun = true
    this.hasBegun = true
    if (limitMs === undefined) return
    frame.limit(() => answered, limitMs).catch((error) => answer(failure(error)))
    this.heed(item)
  }

  private cancel(item: PooledItem, reason: unknown): void {
    const { no } = item
    if (!this.items.has(no)) return
    item.isLost = true
    const isLate = reason instanceof FusionizeError && reason.code === 'TIMEOUT'
    this.host.post({ kind: 'cancel', item: no, reason: isLate ? 'timeout' : 'cancelled' })
    this.host.post({ kind: 'ping' })
    const heard = this.turns
    setTimeout(() => heard === this.turns && this.endIfStuck(item), GRACE_MS).unref()
  }

  /** It hears of nothing: ends it, unless that may be for an item that somebody waits for. */
  private endIfStuck({ no }: PooledItem): void {
    const startsNow = no === this.count && !this.free
    if (this.items.has(no) && (startsNow || [...this.items.values()].every(({ isLost }) => isLost))) this.host.kill()
  }

  private receive(message: FromMember): void {
    switch (message.kind) {
      case 'free':
        this.free = true
        this.turns++
        this.owner.free()
        break
      case 'began':
      case 'reply':
      case 'done': {
        const item = this.items.get(message.item)
        if (item) this.heard(item, message)
        break
      }
      case 'call':
      case 'send':
        void this.forward(message)
        break
      case 'abandon':
        this.leaving.get(message.no)?.abort()
        break
      case 'log':
        this.router.log(message.entry)
        break
      case 'fatal':
        this.fatal = `crashed because nothing caught ${message.error.name}: ${message.error.message}`
    }
  }

  private heard(item: PooledItem, message: AboutItem): void {
    switch (message.kind) {
      case 'began':
        this.began(item)
        break
      case 'reply':
        item.hold(message.held)
        item.answer(message.outcome)
        break
      case 'done':
        this.items.delete(item.no)
        this.owner.measured(item.frame.definition.name, message.activeMs, message.elapsedMs)
        item.adopt(parseRecord(message.record))
        item.over()
    }
  }

  private async forward({ kind, no, item, request }: Leaving): Promise<void> {
    const { transport } = this.router
    const own = this.items.get(item)?.leaving(request) ?? request
    const abort = new AbortController()
    this.leaving.set(no, abort)
    try {
      if (transport === undefined) throw new FusionizeError('UNKNOWN_TASK', `task '${own.task}' is not here`)
      if (kind === 'call') this.host.post({ kind: 'answer', no, outcome: await transport.call(own, abort.signal) })
      else {
        await transport.send(own)
        this.host.post({ kind: 'answer', no })
      }
    } catch (error) {
      this.host.post({ kind: 'refuse', no, error: errorToWire(error) })
    } finally {
      this.leaving.delete(no)
    }
  }

  private gone(how: string, outOfMemory: boolean): void {
    for (const abort of this.leaving.values()) abort.abort()
    const fn = this.router.function
    for (const { frame, answer, over, begun, again } of this.items.values()) {
      if (!begun && this.owner.mayRetry(frame)) {
        again()
        continue
      }
      const error = outOfMemory
        ? new FusionizeError(
            'OUT_OF_MEMORY',
            `a member of the pool of function '${fn}' used more than its share of the memory, and item of task '${frame.definition.name}' ended with it; give the function more memory, or let the task hold less at a time`,
          )
        : new FusionizeError(
            'SANDBOX_CRASHED',
            `a member of the pool of function '${fn}' ${this.fatal ?? how} while it ran task '${frame.definition.name}'; tasks must not end their thread, and must handle every error`,
          )
      frame.run.spans.fail(frame.span, error)
      answer(failure(error))
      over()
    }
    this.items.clear()
    this.owner.gone(how, this.hasBegun)
  }
}
