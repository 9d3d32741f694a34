import type { HeldSend } from 'fusionize/runtime'
import type { Item } from '../attributes.js'
import type { Sealed } from '../envelope.js'
import { open, seal } from '../seal.js'
import type { Update } from './changing-table.js'
import { type ItemKey, namesWith, outboxName, sessionOf, VERSION } from './items.js'
import { type BucketPorts, COMMIT_MS } from './ports.js'

/** Characters of an outbox in an item; a longer one is kept in S3. */
const OUTBOX_CHARS = 24_000
/** Invocations that one update counts: its expression may have 4 kB ("Quotas", Amazon DynamoDB Developer Guide). */
export const COUNTED_AT_ONCE = 100
/** Hand-overs at a time. */
const AT_ONCE = 16

type SealedSend = Omit<HeldSend, 'input' | 'known'> & { input: Sealed }

/** An outbox as JSON. */
interface Kept {
  /** Epoch ms. */
  at: number
  sends?: SealedSend[]
  /** All sends as JSON, where they take too much room. */
  all?: Sealed
}

/** The firings of one commit, on their way to Lambda. */
export interface Outbox {
  commit: string
  sends: readonly HeldSend[]
}

export interface OutboxHelp {
  /** Counts invocations of a session as open, instead of what held it open until then. */
  count(session: string, ids: readonly string[], instead: string | undefined): Promise<unknown>
  handOver(send: HeldSend): Promise<void>
  /** The item of a session as it is now that nothing of it is left here. */
  look(session: string, item: Item): Promise<void>
}

/** Hands over what commits leave in outboxes. */
export class Outboxes {
  readonly #under = new Set<Promise<void>>()

  constructor(
    readonly ports: BucketPorts,
    readonly help: OutboxHelp,
  ) {}

  /** The outbox as it stands in an item. */
  async textOf(sends: readonly HeldSend[]): Promise<string> {
    const { store, now } = this.ports
    const deadline = now() + COMMIT_MS
    const sealed = await Promise.all(
      sends.map(
        async ({ known: _, input, ...send }): Promise<SealedSend> => ({
          ...send,
          input: await seal(input, OUTBOX_CHARS, store, deadline),
        }),
      ),
    )
    const text = JSON.stringify({ at: now(), sends: sealed })
    if (text.length <= OUTBOX_CHARS) return text
    return JSON.stringify({ at: now(), all: await seal(JSON.stringify(sealed), 0, store, deadline) })
  }

  /** Begins to hand over; `settled` waits for it. What cannot be handed over stays for the sweep. @param counted ids that the session knows as open */
  begin(key: ItemKey, outbox: Outbox, counted: ReadonlySet<string>): void {
    const own = outbox.sends.flatMap(({ id, session }) => (id === session ? id : []))
    if (own.length > 0) this.ports.fired(own)
    this.track(this.#empty(key, outbox, counted).then(() => {}))
  }

  /** What must be over before the sandbox may be frozen. */
  track(work: Promise<void>): void {
    const over = work
      .catch((error: Error) => this.ports.log('error', '', error.message))
      .then(() => void this.#under.delete(over))
    this.#under.add(over)
  }

  /** Everything that was begun here has been handed over, or is left to the sweep. */
  async settled(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under)
  }

  /** Hands over what dead sandboxes have left in the item. @param olderMs age of what is taken for left @returns how many firings */
  async resume(key: ItemKey, item: Item, olderMs: number): Promise<number> {
    const { now } = this.ports
    let handed = 0
    for (const name of namesWith(item, 'f:')) {
      const kept = JSON.parse(String(item[name])) as Kept
      if (now() - kept.at < olderMs) continue
      handed += await this.#empty(key, { commit: name.slice(2), sends: await this.#sendsOf(kept) }, new Set())
    }
    return handed
  }

  async #sendsOf({ all, sends }: Kept): Promise<HeldSend[]> {
    const { store, now } = this.ports
    const deadline = now() + COMMIT_MS
    const sealed = sends ?? (JSON.parse(String(await open(all ?? {}, store, deadline))) as SealedSend[])
    return Promise.all(
      sealed.map(async (send): Promise<HeldSend> => ({ ...send, input: await open(send.input, store, deadline) })),
    )
  }

  /** Hands over; what cannot be stays for the next sweep. @returns how many firings were handed over */
  async #empty(key: ItemKey, outbox: Outbox, counted: ReadonlySet<string>): Promise<number> {
    const { sends } = outbox
    const left = new Set(sends)
    try {
      await this.#handOver(key, outbox, counted, (send) => left.delete(send))
    } catch (error) {
      this.ports.log(
        'error',
        sends[0]?.session ?? '',
        `${left.size} firings could not be handed over and wait for the sweep: ${(error as Error).message}`,
      )
    }
    return sends.length - left.size
  }

  async #handOver(
    key: ItemKey,
    { commit, sends }: Outbox,
    counted: ReadonlySet<string>,
    handed: (send: HeldSend) => void,
  ): Promise<void> {
    const { help } = this
    await this.#count(
      sends.filter((send) => !counted.has(send.id)),
      sessionOf(key.pk) === undefined ? commit : undefined,
    )
    const left: HeldSend[] = []
    const errors: unknown[] = []
    const one = async (send: HeldSend) => {
      try {
        await help.handOver(send)
        handed(send)
      } catch (error) {
        left.push(send)
        errors.push(error)
      }
    }
    for (let i = 0; i < sends.length; i += AT_ONCE) await Promise.all(sends.slice(i, i + AT_ONCE).map(one))
    if (left.length < sends.length) await this.#keep(key, commit, left)
    if (left.length > 0) throw errors[0]
  }

  /** Only these are left of the outbox. */
  async #keep(key: ItemKey, commit: string, left: readonly HeldSend[]): Promise<void> {
    const { table, now } = this.ports
    const name = outboxName(commit)
    const change: Pick<Update, 'set' | 'remove'> =
      left.length > 0 ? { set: { [name]: await this.textOf(left) } } : { remove: [name] }
    const { item } = await table.update({ ...key, ...change, add: { [VERSION]: 1 } }, now() + COMMIT_MS)
    const session = sessionOf(key.pk)
    if (item && session !== undefined) await this.help.look(session, item)
  }

  /** Sessions know what is handed over before it is. One that begins with the firing begins to count when it runs. */
  async #count(sends: readonly HeldSend[], held: string | undefined): Promise<void> {
    const bySession = new Map<string, string[]>()
    for (const { id, session } of sends)
      if (id !== session) bySession.set(session, [...(bySession.get(session) ?? []), id])
    for (const [session, ids] of bySession)
      for (let i = 0; i < ids.length; i += COUNTED_AT_ONCE)
        await this.help.count(
          session,
          ids.slice(i, i + COUNTED_AT_ONCE),
          i + COUNTED_AT_ONCE >= ids.length ? held : undefined,
        )
  }
}
