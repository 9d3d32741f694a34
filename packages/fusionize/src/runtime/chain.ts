import type { Lease } from './lease.js'
import type { HeldSend, InvocationPort, Outcome } from './protocol.js'

/** What a chain asks of the sandbox. */
export interface ChainOwner {
  /** The send would begin here at once, and be over before anybody could want to know, be it before the limit of the first. */
  goesOn(send: HeldSend, first: HeldSend): boolean
  /** The platform hears that the send, which it holds, begins here. */
  begins(send: HeldSend): InvocationPort
}

/**
 * Invocations of this sandbox's own that start one another in one turn of the event loop. The platform knows of the first one only, as
 * running, until the turn is over, or one goes on, fails or leaves several behind: then it hears at once of all that are over, and of what
 * goes on. What dies with the sandbox before is run again from the first, as work in one invocation would be (DESIGN §4, promise 2).
 */
export class Chain {
  /** Runs here, and nobody outside knows of it. */
  private carried: HeldSend | undefined
  /** What the last one started, which begins now. */
  private next: HeldSend | undefined
  private port: InvocationPort
  /** What writes the records of those that are over: when nobody waits for what comes next. */
  private records: (() => string)[] = []
  private looking: NodeJS.Immediate | undefined

  constructor(
    /** What the platform knows of. */
    private first: HeldSend,
    private readonly lease: Lease | undefined,
    private readonly owner: ChainOwner,
  ) {
    this.port = owner.begins(first)
  }

  /** Something that nobody outside knows of is about to begin. */
  get pending(): boolean {
    return this.next !== undefined
  }

  /** Takes what was started last. */
  takes(send: HeldSend): boolean {
    if (this.next !== send) return false
    this.carried = send
    this.next = undefined
    return true
  }

  /** Whether the outcome of a run need not be told, since what it started goes on here. */
  withholds(outcome: Outcome, next: readonly HeldSend[]): boolean {
    const [send] = next
    if (send === undefined || next.length > 1 || !outcome.ok || !this.owner.goesOn(send, this.first)) return false
    this.next = send
    this.looking ??= setImmediate(() => this.tell())
    return true
  }

  /** The port of the run that is under way. */
  readonly runs: InvocationPort = {
    reply: (outcome, held, next) => {
      if (this.next) return undefined
      if (!outcome.ok) this.tell()
      // It succeeded: as if the one that is known had done it all, and had what it leaves behind to do.
      this.carried = undefined
      return this.port.reply(outcome, held, next)
    },
    settled: (id, outcome, held, next) => this.port.settled(id, outcome, held, next),
    done: (lines, busy) => {
      this.records.push(lines)
      if (this.next) return
      clearImmediate(this.looking)
      this.tellDone(busy)
    },
  }

  /** Tells the platform all that it does not know. */
  tell(): void {
    clearImmediate(this.looking)
    this.looking = undefined
    const { carried, next } = this
    const send = next ?? carried
    if (send === undefined) return
    this.carried = undefined
    this.next = undefined
    this.lease?.answering(1)
    this.port.reply({ ok: true, output: undefined }, [], [send])
    // It begins here, if it has not.
    this.tellDone(true)
    if (next !== undefined) return
    this.first = send
    this.port = this.owner.begins(send)
  }

  private tellDone(busy: boolean): void {
    const { records } = this
    this.records = []
    this.port.done(() => records.map((lines) => lines()).join('\n'), busy)
  }
}
