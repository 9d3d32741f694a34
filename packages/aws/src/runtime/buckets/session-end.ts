import { type BucketDefinition, flushesAtEnd } from 'fusionize/buckets'
import type { HeldSend } from 'fusionize/runtime'
import type { Item } from '../attributes.js'
import { type Applied, BucketRecord } from './bucket-record.js'
import type { Cause, Change } from './changes.js'
import type { Update } from './changing-table.js'
import { sendOf } from './firings.js'
import {
  CLOSED,
  EXPIRES,
  isClosed,
  isQuiet,
  namesWith,
  outboxName,
  recordName,
  recordVersion,
  SETUP,
  sessionKey,
  VERSION,
  WATCHED,
} from './items.js'
import type { Outboxes } from './outbox.js'
import { pack, unpack } from './packed.js'
import { type BucketPorts, COMMIT_MS, REMEMBER_S } from './ports.js'
import { logResults, removeObjects } from './report.js'

export interface EndHelp {
  outboxes: Outboxes
  /** A change of a bucket of the application. @returns whether nothing of the session is left there */
  endIn(bucket: string, change: Change & { op: 'end' }): Promise<boolean>
  /** What the session leaves in its item when it has ended. */
  kept: readonly string[]
}

/** A session of which nothing is open: its buckets fire what they have, and are closed. */
export class SessionEnd {
  constructor(
    readonly ports: BucketPorts,
    readonly help: EndHelp,
  ) {}

  /** @param item as it was read last; nothing happens when it has changed and something is open again */
  async run(session: string, item: Item): Promise<void> {
    let now: Item | undefined = item
    const deadline = this.ports.now() + COMMIT_MS
    while (now && !isClosed(now) && isQuiet(now) && this.ports.now() < deadline) now = await this.#try(session, now)
  }

  /** @returns the item when it was another than was thought */
  async #try(session: string, item: Item): Promise<Item | undefined> {
    const { ports, help } = this
    const own = namesWith(item, 'b:').flatMap((name) => this.#recordOf(item, name.slice(2)))
    const shared = namesWith(item, 't:').flatMap((name) => this.#definition(name.slice(2)))
    const applied: [BucketRecord, Applied][] = []
    const all = async (change: Change & { op: 'end' }, which: (definition: BucketDefinition) => boolean) => {
      const here = own.filter(({ definition }) => which(definition as BucketDefinition))
      const results = here.map((record) => record.apply(change))
      for (const [i, record] of here.entries()) applied.push([record, results[i] as Applied])
      const elsewhere = shared.filter(which).map(({ name }) => help.endIn(name, change))
      return [...results.map(({ ended }) => ended), ...(await Promise.all(elsewhere))].every((ended) => ended)
    }
    // All fire what they have before one is closed: what that starts may put into the others.
    const flushed = await all({ op: 'end', session, flushOnly: true }, ({ triggers }) => flushesAtEnd(triggers))
    const over = flushed && (await all({ op: 'end', session }, () => true))
    const sends = this.#sends(applied, String(item[SETUP] ?? ports.setup))
    if (!over && sends.length === 0) return undefined
    const commit = ports.newId()
    const update = over ? this.#closing(item) : this.#going(own, commit)
    const { done, item: after } = await ports.table.update(
      {
        ...sessionKey(session),
        ...update,
        set: { ...update.set, ...(sends.length > 0 && { [outboxName(commit)]: await help.outboxes.textOf(sends) }) },
        add: { [VERSION]: 1 },
        when: { [VERSION]: item[VERSION], [CLOSED]: undefined },
      },
      ports.now() + COMMIT_MS,
    )
    if (!done && after?.[outboxName(commit)] === undefined) return after
    if (over) await this.#forget(item, sends.length > 0)
    this.#report(applied)
    if (sends.length > 0) help.outboxes.begin(sessionKey(session), { commit, sends }, new Set())
    return undefined
  }

  #recordOf(item: Item, bucket: string): BucketRecord[] {
    const text = item[recordName(bucket)]
    return this.#definition(bucket).map((definition) => new BucketRecord(definition, unpack(String(text))))
  }

  #definition(bucket: string): BucketDefinition[] {
    return this.ports.definitions.filter(({ name }) => name === bucket)
  }

  #sends(applied: readonly [BucketRecord, Applied][], setup: string): HeldSend[] {
    const { now, newId } = this.ports
    const cause: Cause = { trace: newId(), parent: '', at: now() }
    return applied.flatMap(([{ definition }, { deliveries }]) =>
      deliveries.map((delivery) => sendOf(definition, delivery, cause, setup, newId)),
    )
  }

  #closing(item: Item): Pick<Update, 'set' | 'remove'> {
    const { now } = this.ports
    const stays = new Set([VERSION, 'pk', 'sk', EXPIRES, WATCHED, ...this.help.kept, ...namesWith(item, 'd:')])
    return {
      set: { [CLOSED]: now(), [EXPIRES]: Math.ceil(now() / 1000) + REMEMBER_S },
      remove: Object.keys(item).filter((name) => !stays.has(name)),
    }
  }

  #going(own: readonly BucketRecord[], commit: string): Pick<Update, 'set'> {
    return {
      set: Object.fromEntries(
        own.flatMap((record) => [
          [recordName(record.definition.name), pack(record.text())],
          [recordVersion(record.definition.name), commit],
        ]),
      ),
    }
  }

  /** Nobody need look after it, unless it still fires. */
  async #forget(item: Item, fires: boolean): Promise<void> {
    const [pk, sk] = String(item[WATCHED] ?? '').split('\n')
    if (!fires && pk && sk) await this.ports.table.remove(pk, sk, this.ports.now() + COMMIT_MS)
  }

  #report(applied: readonly [BucketRecord, Applied][]): void {
    for (const [{ definition }, { results }] of applied) logResults(this.ports, definition.name, results)
    const unnamed = applied.flatMap(([, one]) => one.unnamed)
    if (unnamed.length > 0) this.help.outboxes.track(removeObjects(this.ports, unnamed))
  }
}
