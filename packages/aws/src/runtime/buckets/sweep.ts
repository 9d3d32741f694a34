import type { Item } from '../attributes.js'
import type { Expectations } from './expectations.js'
import { isShared } from './firings.js'
import {
  bucketItemKey,
  CLOSED,
  type ItemKey,
  isClosed,
  namesWith,
  openName,
  openOf,
  sessionKey,
  VERSION,
  WATCHED,
} from './items.js'
import type { Outboxes } from './outbox.js'
import { unpack } from './packed.js'
import { type BucketPorts, COMMIT_MS } from './ports.js'
import { armedOf } from './saved-record.js'
import type { Sessions } from './sessions.js'
import { sortable, watchEntry, watchPartition } from './watch.js'

/** Default of `BucketPorts.lateMs`. */
const LATE_MS = 60_000
/** Ms in which a sweep begins with another session. */
const SWEEP_MS = 60_000

export interface SweepHelp {
  sessions: Sessions
  outboxes: Outboxes
  expectations: Expectations
  /** Tells the bucket the time. */
  time(bucket: string, session: string | undefined): Promise<void>
}

/** Looks after what nobody looks after any more, since its sandbox died. */
export class Sweep {
  constructor(
    readonly ports: BucketPorts,
    readonly help: SweepHelp,
  ) {}

  /** @returns how many firings were handed over */
  async run(): Promise<number> {
    const until = this.ports.now() + SWEEP_MS
    const shared = await this.#shared()
    return shared.handed + (await this.#watched(until, shared.waiting))
  }

  /** Looks after the buckets of the application. @returns what waits in their outboxes; undefined: not known */
  async #shared(): Promise<{ handed: number; waiting: ReadonlySet<string> | undefined }> {
    const waiting = new Set<string>()
    let handed = 0
    let all = true
    for (const definition of this.ports.definitions) {
      if (!isShared(definition)) continue
      const { name } = definition
      const what = `bucket '${name}'`
      const key = bucketItemKey(name)
      const read = await this.#trying(what, '', async () => ({ item: await this.#read(key) }))
      const item = read?.item
      all &&= read !== undefined
      if (!item) continue
      for (const outbox of namesWith(item, 'f:')) waiting.add(outbox.slice(2))
      handed += (await this.#trying(what, '', () => this.#resume(key, item, undefined))) ?? 0
    }
    return { handed, waiting: all ? waiting : undefined }
  }

  /** Looks after sessions that began here. @param until epoch ms after which it begins with no other */
  async #watched(until: number, waiting: ReadonlySet<string> | undefined): Promise<number> {
    const { table, now, function: fn } = this.ports
    const seen = new Set<string>()
    let handed = 0
    for (;;) {
      const entries = await table.before(watchPartition(fn), sortable(now()), now() + COMMIT_MS)
      const fresh = entries.filter(({ sk }) => !seen.has(String(sk)))
      if (fresh.length === 0) return handed
      for (const entry of fresh) {
        if (now() > until) return handed
        seen.add(String(entry.sk))
        const session = String(entry.session)
        handed += (await this.#trying(`session ${session}`, session, () => this.#lookAfter(session, waiting))) ?? 0
        await this.#trying(`the entry of session ${session}`, session, () => this.#move(entry, session))
      }
    }
  }

  /** What fails with one is no reason to leave the others: it is tried again by the next sweep. */
  async #trying<T>(what: string, session: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.ports.log('error', session, `${what} waits for the next sweep: ${(error as Error).message}`)
      return undefined
    }
  }

  async #lookAfter(session: string, waiting: ReadonlySet<string> | undefined): Promise<number> {
    const { sessions, expectations } = this.help
    const key = sessionKey(session)
    const item = await this.#read(key)
    let handed = 0
    if (item) {
      handed = await this.#resume(key, item, session)
      if (!isClosed(item)) {
        await expectations.overdue(session, item, this.#lateMs)
        if (waiting) await this.#giveUp(session, item, waiting)
        await sessions.look(session)
      }
    }
    return handed
  }

  get #lateMs(): number {
    return this.ports.lateMs ?? LATE_MS
  }

  async #resume(key: ItemKey, item: Item, session: string | undefined): Promise<number> {
    const handed = await this.help.outboxes.resume(key, item, this.#lateMs)
    for (const name of namesWith(item, 'b:')) {
      const armedMs = armedOf(unpack(String(item[name])))
      if (armedMs !== undefined && armedMs + this.#lateMs < this.ports.now())
        await this.help.time(name.slice(2), session)
    }
    return handed
  }

  /** Invocations that nobody can hear of any more are over. @param waiting commits of buckets of the application that still hold sessions open */
  async #giveUp(session: string, item: Item, waiting: ReadonlySet<string>): Promise<void> {
    const { now, log } = this.ports
    const lost = openOf(item).filter(({ id, dueMs }) => dueMs < now() && !waiting.has(id))
    for (const { id, dueMs } of lost) {
      const when = { [openName(id)]: dueMs, [CLOSED]: undefined }
      const { done } = await this.help.sessions.change(session, { remove: [openName(id)], when })
      if (done) log('warn', session, `nothing was heard of invocation ${id}: it counts as over`)
    }
  }

  /** The entry goes, or stays for the next time. */
  async #move(entry: Item, session: string): Promise<void> {
    const { table, now } = this.ports
    const item = await this.#read(sessionKey(session))
    const open = item && (!isClosed(item) || namesWith(item, 'f:').length > 0)
    if (open) {
      const next = watchEntry(this.ports)
      await table.put({ ...next, session, expires: Number(entry.expires) }, now() + COMMIT_MS)
      const set = { [WATCHED]: `${next.pk}\n${next.sk}` }
      const when = { [VERSION]: item[VERSION] }
      const { done } = await this.help.sessions.change(session, { set, when })
      // It is being worked with, and may have ended: the old entry stays for the next sweep.
      if (!done) return table.remove(next.pk, next.sk, now() + COMMIT_MS)
    }
    await table.remove(String(entry.pk), String(entry.sk), now() + COMMIT_MS)
  }

  #read({ pk, sk }: ItemKey): Promise<Item | undefined> {
    return this.ports.table.get(pk, sk, this.ports.now() + COMMIT_MS)
  }
}
