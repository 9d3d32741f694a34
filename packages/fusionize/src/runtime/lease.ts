import type { BucketOp } from './protocol.js'

/** What a shard in this function does for a session that ends here. */
export interface Leased {
  /** Fires what waits for the end of the session. @returns false when that made work, so that the session goes on */
  flush(session: string): boolean
  /** @returns false when the end itself made work, so that the session goes on */
  end(session: string): boolean
  drop(session: string): void
}

/** Something that the platform must know when this sandbox dies. */
interface Happened {
  op(): BucketOp
  /** Lets go of the run that did it. */
  settle?(): void
}

/**
 * The right to evaluate a session's fused buckets here, given by the platform while nobody else works for the session. It ends with the
 * last run of the session in this sandbox, or when the platform takes it back because somebody else puts something.
 */
export class Lease {
  open = true
  /** Runs of the session in this sandbox. */
  runs = 0
  /** Something of the session has left this sandbox: its end is not known here. */
  spread = false
  /** The bucket that answers for the session's entry, until it has. */
  result: string | undefined
  /** Turns after which work began that had waited for that answer, and it was not there. */
  inVain = 0
  /** Those that know something of the session. */
  readonly shards = new Set<Leased>()
  /** Those that have light puts of it only, as most do: each once, without a hash of it, which a step of a chain would notice. */
  readonly light: Leased[] = []
  private log: Happened[] = []
  /** What fused buckets started inside a run, and is done: should the run fail, its puts are repeated, and this is not. */
  readonly done: { id: string }[] = []
  /** How many of them have settled. */
  private settled = 0

  constructor(
    readonly session: string,
    private readonly tell: (
      ops: readonly BucketOp[],
      ended: 'no' | 'lease' | 'session',
      over: readonly string[],
    ) => void,
  ) {}

  note(happened: Happened): void {
    this.log.push(happened)
  }

  /** What is known now goes on without the runs that did it. */
  settle(): void {
    for (const { log } = this; this.settled < log.length; ) log[this.settled++]?.settle?.()
  }

  /** Something is about to be answered: tells the platform first what it does not know yet, if the session goes on. */
  answering(leftBehind: number): void {
    if (this.log.length + this.done.length > 0 && (leftBehind > 0 || this.spread || this.runs > 1)) this.say('no')
  }

  /** The last run of the session here is over, or the platform wants the session back. */
  end(recalled: boolean): void {
    if (!this.open) return
    const shards = this.known()
    const over =
      !recalled &&
      !this.spread &&
      shards.every((shard) => shard.flush(this.session)) &&
      shards.every((shard) => shard.end(this.session))
    this.open = false
    // Of a session that is over nobody needs to know the rest.
    if (over) this.log = []
    if (over) this.done.length = 0
    this.say(over ? 'session' : 'lease')
    if (!over) for (const shard of shards) shard.drop(this.session)
  }

  protected known(): Leased[] {
    return this.shards.size > 0 ? [...new Set([...this.light, ...this.shards])] : [...this.light]
  }

  private say(ended: 'no' | 'lease' | 'session'): void {
    const ops = this.log.map((happened) => happened.op())
    this.log = []
    this.settled = 0
    this.tell(
      ops,
      ended,
      this.done.splice(0).map(({ id }) => id),
    )
  }
}
