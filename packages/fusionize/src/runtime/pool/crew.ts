import { FusionizeError } from '../../errors.js'
import { parseRecord } from '../../record.js'
import type { Frame } from '../frames.js'
import type { Outcome, Payload, SandboxInfo } from '../protocol.js'
import type { Router } from '../router.js'
import { failure } from '../run.js'
import { errorToWire } from '../wire-errors.js'
import { type MemberHost, openProcess, openThread } from './hosts.js'
import type { FromMember, Leaving } from './messages.js'
import { PooledItem } from './pooled.js'

/** Ms that an item may go on after its time, before the member in which it blocks everything is ended. */
const GRACE_MS = 500

export interface CrewOwner {
  free(): void
  measured(task: string, activeMs: number, elapsedMs: number): void
  gone(): void
}

/** One member of a pool, as its sandbox sees it: a thread or a process. */
export class Crew {
  /** Its event loop turns: it can take an item. */
  free = true
  private readonly items = new Map<number, PooledItem>()
  private readonly leaving = new Map<number, AbortController>()
  private readonly host: MemberHost
  private fatal: string | undefined
  private count = 0

  constructor(
    file: string,
    private readonly router: Router,
    kind: 'threads' | 'processes' | undefined,
    width: number,
    private readonly owner: CrewOwner,
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

  run(frame: Frame, input: Payload): Promise<Outcome> {
    return new Promise((resolve) => {
      const no = ++this.count
      const item = new PooledItem(no, frame, resolve)
      this.items.set(no, item)
      this.free = false
      frame.run.open++
      this.host.post({ kind: 'run', item: no, invocation: item.invocation(input) })
      const { signal } = frame
      const cancel = () => this.cancel(item, signal.reason)
      if (signal.aborted) cancel()
      else signal.addEventListener('abort', cancel, { once: true })
    })
  }

  private cancel({ no }: PooledItem, reason: unknown): void {
    if (!this.items.has(no)) return
    const isLate = reason instanceof FusionizeError && reason.code === 'TIMEOUT'
    this.host.post({ kind: 'cancel', item: no, reason: isLate ? 'timeout' : 'cancelled' })
    // What blocks its thread hears of nothing.
    setTimeout(() => this.items.has(no) && !this.free && this.host.kill(), GRACE_MS).unref()
  }

  private receive(message: FromMember): void {
    switch (message.kind) {
      case 'free':
        this.free = true
        return this.owner.free()
      case 'reply': {
        const item = this.items.get(message.item)
        item?.hold(message.held)
        return item?.answer(message.outcome)
      }
      case 'done': {
        const item = this.items.get(message.item)
        if (item === undefined) return
        this.items.delete(message.item)
        this.owner.measured(item.frame.definition.name, message.activeMs, message.elapsedMs)
        item.adopt(parseRecord(message.record))
        return item.frame.run.closeCall()
      }
      case 'call':
      case 'send':
        return void this.forward(message)
      case 'abandon':
        return this.leaving.get(message.no)?.abort()
      case 'log':
        return this.router.log(message.entry)
      case 'fatal':
        this.fatal = `crashed because nothing caught ${message.error.name}: ${message.error.message}`
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
    for (const { frame, answer } of this.items.values()) {
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
      frame.run.closeCall()
    }
    this.items.clear()
    this.owner.gone()
  }
}
