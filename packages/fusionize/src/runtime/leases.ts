import { Lease } from './lease.js'
import { OwnQueue } from './own-queue.js'
import type { Handler, HeldSend, SandboxInfo, Transport } from './protocol.js'
import type { Router } from './router.js'
import { stop } from './sources.js'

/** The sessions whose fused buckets this sandbox evaluates, and the invocations that it starts for them by itself. */
export class Leases {
  private readonly open = new Map<string, Lease>()
  private readonly own: OwnQueue

  constructor(
    private readonly router: Router,
    private readonly info: Pick<SandboxInfo, 'timeoutMs'>,
    private readonly transport: Transport,
    private readonly run: Handler['run'],
    /** Invocations that are under way. */
    private readonly running: () => number,
  ) {
    this.own = new OwnQueue((sends) => {
      for (const { session } of sends) {
        const lease = this.open.get(session)
        if (lease) lease.spread = true
      }
      transport.release(sends.map(({ id }) => id))
    })
    router.keepOwn = (lease, sends, free) => {
      lease.runs += this.own.add(sends, free && running() === 1)
    }
  }

  /** @param granted the platform gives the lease with this invocation */
  of(session: string, granted: boolean): Lease | undefined {
    const known = this.open.get(session)
    if (known?.open || !granted) return known
    const lease = new Lease(session, (ops, ended) => {
      if (ended !== 'no') this.open.delete(session)
      this.transport.mirror(session, ops, ended)
    })
    this.open.set(session, lease)
    return lease
  }

  /** Work of this sandbox's own waits for what runs to be over. */
  get waiting(): boolean {
    return this.own.size > 0
  }

  /** Somebody asks for a run that no invocation is. */
  cancel(invocation: string): void {
    stop(invocation)
  }

  recall(session: string): void {
    this.open.get(session)?.end(true)
  }

  /** An invocation is over. @returns what begins the next that is this sandbox's own, if there is one */
  over(task: string, ms: number): (() => void) | undefined {
    const { own } = this
    for (const { session } of own.ran(task, ms)) this.letGo(session)
    if (this.running() > 0) for (const { session } of own.clear()) this.letGo(session)
    if (own.size > 0) return () => own.next((send) => this.begin(send))
    own.idle()
    return undefined
  }

  private begin(send: HeldSend): void {
    const { id, session, task, input, trace, parent, given } = send
    const deadline = Date.now() + (this.router.task(task)?.options.timeout ?? this.info.timeoutMs)
    const mode = 'send' as const
    // One literal: to spread it costs as much as all that follows.
    const request = { id, session, task, input, trace, parent, mode, external: false, attempt: 1, deadline, cold: null }
    this.run(given ? Object.assign(request, { given }) : request, this.transport.begin(send, this.own.isBrief(task)))
    this.letGo(session)
  }

  private letGo(session: string): void {
    const lease = this.open.get(session)
    if (lease && --lease.runs === 0) lease.end(false)
  }
}
