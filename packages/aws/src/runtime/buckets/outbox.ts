import type { HeldSend } from 'fusionize/runtime'
import type { Sealed } from '../envelope.js'
import { open, seal } from '../seal.js'
import type { Item, Update } from '../table.js'
import { type ItemKey, namesWith, outboxName, VERSION } from './items.js'
import { type BucketPorts, COMMIT_MS } from './ports.js'

/** Characters of an outbox in an item; a longer one is kept in S3. */
const OUTBOX_CHARS = 24_000
/** Invocations that one update counts: its expression may have 4 kB ("Quotas", Amazon DynamoDB Developer Guide). */
export const COUNTED_AT_ONCE = 100
/** Hand-overs at a time. */
const AT_ONCE = 16

type SealedSend = Omit<HeldSend, 'input' | 'known'> & { input: Sealed }

/** The firings of one commit, on their way to Lambda. */
export interface Outbox {
  commit: string
  sends: readonly HeldSend[]
}

/** Hands over what commits leave in outboxes. */
export class Outboxes {
  readonly #under = new Set<Promise<void>>()

  constructor(
    readonly ports: BucketPorts,
    /** Counts invocations of a session as open, instead of what held it open until then. */
    readonly count: (session: string, ids: readonly string[], instead: string | undefined) => Promise<unknown>,
    /** The item of a session as it is now that nothing of it is left here. */
    readonly look: (session: string, item: Item) => Promise<void>,
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
    const work = this.#handOver(key, outbox, counted).catch((error: Error) =>
      this.ports.log(
        'error',
        outbox.sends[0]?.session ?? '',
        `${outbox.sends.length} firings could not be handed over and wait for the sweep: ${error.message}`,
      ),
    )
    this.track(work)
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
    const { store, now } = this.ports
    let handed = 0
    for (const name of namesWith(item, 'f:')) {
      const kept = JSON.parse(String(item[name])) as { at: number; sends?: SealedSend[]; all?: Sealed }
      if (now() - kept.at < olderMs) continue
      const deadline = now() + COMMIT_MS
      const sealed = kept.sends ?? (JSON.parse(String(await open(kept.all ?? {}, store, deadline))) as SealedSend[])
      const sends = await Promise.all(
        sealed.map(async (send): Promise<HeldSend> => ({ ...send, input: await open(send.input, store, deadline) })),
      )
      await this.#handOver(key, { commit: name.slice(2), sends }, new Set())
      handed += sends.length
    }
    return handed
  }

  async #handOver(key: ItemKey, { commit, sends }: Outbox, counted: ReadonlySet<string>): Promise<void> {
    const { table, now } = this.ports
    await this.#count(
      sends.filter((send) => !counted.has(send.id)),
      key.pk.startsWith('session#') ? undefined : commit,
    )
    for (let i = 0; i < sends.length; i += AT_ONCE)
      await Promise.all(sends.slice(i, i + AT_ONCE).map((send) => this.ports.handOn(send)))
    const update: Update = { ...key, remove: [outboxName(commit)], add: { [VERSION]: 1 } }
    const { item } = await table.update(update, now() + COMMIT_MS)
    if (item && key.pk.startsWith('session#')) await this.look(key.pk.slice('session#'.length), item)
  }

  /** Sessions know what is handed over before it is. One that begins with the firing begins to count when it runs. */
  async #count(sends: readonly HeldSend[], held: string | undefined): Promise<void> {
    const bySession = new Map<string, string[]>()
    for (const { id, session } of sends)
      if (id !== session) bySession.set(session, [...(bySession.get(session) ?? []), id])
    for (const [session, ids] of bySession)
      for (let i = 0; i < ids.length; i += COUNTED_AT_ONCE)
        await this.count(
          session,
          ids.slice(i, i + COUNTED_AT_ONCE),
          i + COUNTED_AT_ONCE >= ids.length ? held : undefined,
        )
  }
}
