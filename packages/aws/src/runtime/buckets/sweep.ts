import type { Item } from '../table.js'
import { armedOf } from './bucket-record.js'
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
    const { table, now, definitions, function: fn } = this.ports
    const until = now() + SWEEP_MS
    const seen = new Set<string>()
    let handed = 0
    for (const definition of definitions) {
      if (!isShared(definition)) continue
      const key = bucketItemKey(definition.name)
      const item = await this.#read(key)
      if (item) handed += await this.#resume(key, item, undefined)
    }
    for (;;) {
      const entries = await table.before(watchPartition(fn), sortable(now()), now() + COMMIT_MS)
      const fresh = entries.filter(({ sk }) => !seen.has(String(sk)))
      if (fresh.length === 0) return handed
      for (const entry of fresh) {
        if (now() > until) return handed
        seen.add(String(entry.sk))
        handed += await this.#lookAfter(entry)
      }
    }
  }

  async #lookAfter(entry: Item): Promise<number> {
    const { sessions, expectations } = this.help
    const session = String(entry.session)
    const key = sessionKey(session)
    const item = await this.#read(key)
    let handed = 0
    if (item) {
      handed = await this.#resume(key, item, session)
      if (!isClosed(item)) {
        await expectations.overdue(session, item, this.#lateMs)
        await this.#giveUp(session, item)
        const after = await this.#read(key)
        if (after) await sessions.look(session, after)
      }
    }
    await this.#move(entry, session)
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

  /** Invocations that nobody can hear of any more are over. */
  async #giveUp(session: string, item: Item): Promise<void> {
    const { table, now, log } = this.ports
    const lost = openOf(item).filter(({ dueMs }) => dueMs < now())
    for (const { id, dueMs } of lost) {
      const update = { ...sessionKey(session), remove: [openName(id)], add: { [VERSION]: 1 } }
      const when = { [openName(id)]: dueMs, [CLOSED]: undefined }
      const { done } = await table.update({ ...update, when }, now() + COMMIT_MS)
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
      const { done } = await table.update(
        { ...sessionKey(session), set, add: { [VERSION]: 1 }, when },
        now() + COMMIT_MS,
      )
      // It is being worked with, and may have ended: the old entry stays for the next sweep.
      if (!done) return table.remove(next.pk, next.sk, now() + COMMIT_MS)
    }
    await table.remove(String(entry.pk), String(entry.sk), now() + COMMIT_MS)
  }

  #read({ pk, sk }: ItemKey): Promise<Item | undefined> {
    return this.ports.table.get(pk, sk, this.ports.now() + COMMIT_MS)
  }
}
