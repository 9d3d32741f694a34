import { Chain, type ChainOwner } from './chain.js'
import { Lease } from './lease.js'
import { OwnQueue } from './own-queue.js'
import type { Handler, HeldSend, InvocationPort, SandboxInfo, Transport } from './protocol.js'
import type { Router } from './router.js'

/** Limit in ms of an invocation that may stand for others that follow it: much more than these may take. */
const LIMIT_MS = 500

/** The sessions whose fused buckets this sandbox evaluates, and the invocations that it starts for them by itself. */
export class Leases implements ChainOwner {
  private readonly open = new Map<string, Lease>()
  private readonly own: OwnQueue
  /** Of the run of this sandbox's own that began last. */
  private chain: Chain | undefined

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
    router.withholds = (run, outcome, next) => {
      const withheld = run.port === this.chain?.runs && running() === 1 && this.chain.withholds(outcome, next)
      if (withheld) run.lease?.settle()
      return withheld
    }
  }

  /** @param granted the platform gives the lease with this invocation */
  of(session: string, granted: boolean): Lease | undefined {
    const known = this.open.get(session)
    if (known?.open || !granted) return known
    const lease = new Lease(session, (ops, ended, over) => {
      if (ended !== 'no') this.open.delete(session)
      this.transport.mirror(session, ops, ended, over)
    })
    this.open.set(session, lease)
    return lease
  }

  /** Work of this sandbox's own waits for what runs to be over. */
  get waiting(): boolean {
    return this.own.size > 0
  }

  /** Somebody is about to ask for something: the platform must know what runs here. */
  tell(): void {
    this.chain?.tell()
  }

  recall(session: string): void {
    this.tell()
    this.open.get(session)?.end(true)
  }

  goesOn({ task }: HeldSend, first: HeldSend): boolean {
    const { own } = this
    return own.size === 0 && own.isBrief(task) && own.hasTime() && this.limitMs(first) >= LIMIT_MS
  }

  begins(send: HeldSend): InvocationPort {
    return this.transport.begin(send, this.own.isBrief(send.task))
  }

  /** An invocation is over. @returns what begins the next that is this sandbox's own, if there is one */
  over(task: string, ms: number): (() => void) | undefined {
    const { own } = this
    for (const { session } of own.ran(task, ms)) this.letGo(session)
    if (this.running() > 0) for (const { session } of own.clear()) this.letGo(session)
    if (own.size > 0) return () => own.next((send) => this.begin(send), this.chain?.pending === true)
    own.idle()
    return undefined
  }

  private begin(send: HeldSend): void {
    const { id, session, task, trace, parent, known } = send
    if (!this.chain?.takes(send)) this.chain = new Chain(send, this.open.get(session), this)
    const deadline = Date.now() + this.limitMs(send)
    const mode = 'send' as const
    // One literal: to spread it costs as much as all that follows.
    const input = known ? undefined : send.input
    const request = {
      id,
      session,
      task,
      mode,
      input,
      known,
      external: false,
      attempt: 1,
      deadline,
      trace,
      parent,
      cold: null,
    }
    this.run(request, this.chain.runs)
    this.letGo(session)
  }

  private limitMs({ task }: HeldSend): number {
    return this.router.task(task)?.options.timeout ?? this.info.timeoutMs
  }

  private letGo(session: string): void {
    const lease = this.open.get(session)
    if (lease && --lease.runs === 0) lease.end(false)
  }
}
