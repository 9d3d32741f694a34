import { FusionizeError } from 'fusionize'
import { type BucketDefinition, type Deliverable, isRef, sizeOf } from 'fusionize/buckets'
import type { HeldSend } from 'fusionize/runtime'
import type { Item } from '../attributes.js'
import { type Applied, BucketRecord } from './bucket-record.js'
import type { Cause, Change, PutChange } from './changes.js'
import type { Update } from './changing-table.js'
import { closedError } from './failures.js'
import { sendOf } from './firings.js'
import {
  CLOSED,
  type ItemKey,
  isClosed,
  openName,
  outboxName,
  recordName,
  recordVersion,
  SETUP,
  VERSION,
} from './items.js'
import type { Objects } from './objects.js'
import { COUNTED_AT_ONCE, type Outboxes } from './outbox.js'
import { pack, unpack } from './packed.js'
import { type BucketPorts, COMMIT_MS, SEND_OPEN_MS } from './ports.js'
import { logResults, removeObjects } from './report.js'
import type { Sessions } from './sessions.js'
import { notNeeded } from './sources.js'

/** What a change did, once it is in the table. */
export type Committed = Omit<Applied, 'error'>

/** What slots use besides the ports. */
export interface SlotHelp {
  sessions: Sessions
  outboxes: Outboxes
  /** A record wants to hear the time. */
  arm(bucket: string, session: string | undefined, atMs: number): Promise<void>
  objects: Objects
  /** New objects of a session that somebody may wait for: what to change in the session's item besides, and what objects that needs. */
  noted(item: Item, bucket: string, put: readonly PutChange[]): Noted
  /** A commit hands over these. @param item of the session, as it is now */
  sent(session: string, item: Item | undefined, sends: readonly HeldSend[]): Promise<void>
}

export interface Noted extends Pick<Update, 'set' | 'remove'> {
  refs?: readonly string[]
}

interface Waiting {
  change: Change
  cause: Cause
  settle(done: Committed): void
  fail(error: unknown): void
}

/** The record as this sandbox knows it. */
interface Known {
  record: BucketRecord
  item: Item | undefined
  /** It was read for these changes, so what it refuses is refused. */
  fresh: boolean
}

/** First pause after a conflict, ms; doubles each time, with full jitter. */
const PAUSE_MS = 10
const LONGEST_PAUSE_MS = 2_000
/** Changes in one commit. */
const AT_ONCE = 100
/** Of a record: an item has 400 kB ("Quotas", Amazon DynamoDB Developer Guide), and other things are in it. */
const MOST_CHARS = 300_000
/** Of values in a record. */
const RECORD_BYTES = 32_000

/** A bucket's record in an item: changes it by one conditional update, with those that wait meanwhile. */
export class Slot {
  readonly #waiting: Waiting[] = []
  #known: Known | undefined
  #busy = false

  constructor(
    readonly ports: BucketPorts,
    readonly help: SlotHelp,
    readonly key: ItemKey,
    readonly definition: BucketDefinition,
    /** The session whose item it is; absent for a bucket of the application. */
    readonly session: string | undefined,
  ) {}

  /**
   * Resolves when the change is in the table, with what it fired.
   * @throws {FusionizeError} what the machine refuses; `SESSION_CLOSED`; `JOURNAL_FAILED`
   */
  change(change: Change, cause: Cause): Promise<Committed> {
    return new Promise((settle, fail) => {
      this.#waiting.push({ change, cause, settle, fail })
      // What is said in the same turn goes together.
      if (!this.#busy) {
        this.#busy = true
        queueMicrotask(() => void this.#work())
      }
    })
  }

  get isIdle(): boolean {
    return !this.#busy
  }

  /** An object as the table has it now. */
  async get(session: string, key: string): Promise<Deliverable> {
    const { record } = await this.#read(this.ports.now() + COMMIT_MS)
    return record.get(session, key)
  }

  /** Whether the table has all of these objects for somebody; undefined where it has no record. */
  async needs(refs: readonly string[]): Promise<boolean | undefined> {
    const { record, item } = await this.#read(this.ports.now() + COMMIT_MS)
    return item?.[recordName(this.definition.name)] === undefined ? undefined : record.needs(refs)
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, AT_ONCE)
      try {
        await this.#commit(batch)
      } catch (error) {
        this.#known = undefined
        for (const { fail } of batch) fail(error)
      }
    }
    this.#busy = false
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const { ports } = this
    const deadline = ports.now() + COMMIT_MS
    for (let attempt = 0; ; attempt++) {
      const known = this.#known ?? (await this.#read(deadline))
      this.#known = undefined
      if (this.session !== undefined && isClosed(known.item)) {
        for (const { change, fail } of batch) fail(closedError(this.definition.name, sessionOf(change)))
        return
      }
      await this.#makeRoom(known.record, batch, deadline)
      const applied = batch.map(({ change }) => known.record.apply(change))
      if (applied.some(({ changed }) => changed)) {
        const written = await this.#write(known, batch, applied, deadline)
        // The item may be anything by now, but what it has of this commit counts.
        this.#known = this.#knownOf(written.item, !written.made)
        if (written.made) return this.#settle(batch, applied)
      } else if (known.fresh) {
        this.#known = { ...known, fresh: false }
        return this.#settle(batch, applied)
      } else continue
      if (ports.now() >= deadline)
        throw new FusionizeError(
          'JOURNAL_FAILED',
          `bucket '${this.definition.name}': too many put at the same time, none of ${attempt + 1} attempts came first; put less often, or into more buckets`,
          { bucket: this.definition.name },
        )
      await ports.pause(ports.random() * Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** Math.min(attempt, 10)))
    }
  }

  /** Values stand in the record as long as it is small: it is written whole, with every change. */
  async #makeRoom(record: BucketRecord, batch: readonly Waiting[], deadline: number): Promise<void> {
    let bytes = record.inlineBytes
    for (const waiting of batch) {
      const { change } = waiting
      if (change.op !== 'put' || isRef(change.value)) continue
      bytes += sizeOf(change.value)
      if (bytes <= RECORD_BYTES) continue
      bytes -= sizeOf(change.value)
      waiting.change = { ...change, value: await this.help.objects.keep(this.definition.name, change.value, deadline) }
    }
  }

  async #write({ record, item }: Known, batch: readonly Waiting[], applied: readonly Applied[], deadline: number) {
    const { ports, help, session, key, definition } = this
    const { name } = definition
    const commit = ports.newId()
    const sends = this.#sends(batch, applied, String(item?.[SETUP] ?? ports.setup))
    const counted = this.#counted(sends)
    const armMs = this.#armMs(record)
    const put = batch.flatMap(({ change }, i) => (applied[i]?.accepted && change.op === 'put' ? [change] : []))
    const noted: Noted = session === undefined ? {} : help.noted(item ?? {}, name, put)
    if (noted.refs) record.apply({ op: 'name', by: 'answer', refs: noted.refs })
    const besides =
      session === undefined ? {} : { ...(await help.sessions.watch(session, item)), ...help.sessions.besides(session) }
    const dueMs = ports.now() + SEND_OPEN_MS
    const stopped = notNeeded(name, applied, commit)
    const set: Item = {
      ...besides,
      ...noted.set,
      ...(session !== undefined && stopped.get(session)),
      [recordName(name)]: this.#packed(record),
      [recordVersion(name)]: commit,
      ...(sends.length > 0 && { [outboxName(commit)]: await help.outboxes.textOf(sends) }),
      ...Object.fromEntries([...counted].map((id) => [openName(id), dueMs])),
    }
    const when = { [recordVersion(name)]: item?.[recordVersion(name)], [CLOSED]: undefined }
    const held = session === undefined ? new Set(sends.filter(goesOn).map((send) => send.session)) : none
    for (const one of held) await help.sessions.hold(one, commit)
    const written = await ports.table.update(
      { ...key, set, remove: noted.remove ?? [], add: { [VERSION]: 1 }, when },
      deadline,
    )
    // The answer to the first of two requests may have been lost.
    const made = written.done || written.item?.[recordVersion(name)] === commit
    if (made) {
      if (session !== undefined) help.sessions.told(session)
      if (armMs !== undefined) await help.arm(name, session, armMs)
      if (session === undefined)
        for (const [one, what] of stopped) help.outboxes.track(help.sessions.note(one, what).then(() => {}))
      // It may change this record, too.
      if (session !== undefined && sends.length > 0) help.outboxes.track(help.sent(session, written.item, sends))
      if (sends.length > 0) help.outboxes.begin(key, { commit, sends }, counted)
    } else for (const one of held) await help.sessions.letGo(one, commit)
    return { made, item: written.item }
  }

  /** @throws {FusionizeError} `PAYLOAD_TOO_LARGE` when no item can take it */
  #packed(record: BucketRecord): string {
    const text = pack(record.text())
    if (text.length <= MOST_CHARS) return text
    const { name } = this.definition
    throw new FusionizeError(
      'PAYLOAD_TOO_LARGE',
      `bucket '${name}': what it remembers of its objects takes ${text.length} bytes, and the table ${MOST_CHARS}; put fewer objects into a session, or let its triggers fire sooner`,
      { bucket: name, bytes: text.length, maxBytes: MOST_CHARS },
    )
  }

  /** @param setup of the session, where the item has one */
  #sends(batch: readonly Waiting[], applied: readonly Applied[], setup: string): HeldSend[] {
    const { newId } = this.ports
    return applied.flatMap(({ deliveries }, i) =>
      deliveries.map((delivery) => sendOf(this.definition, delivery, (batch[i] as Waiting).cause, setup, newId)),
    )
  }

  /** Firings that the commit itself counts as open. */
  #counted(sends: readonly HeldSend[]): Set<string> {
    const own = sends.filter(({ session }) => session === this.session).map(({ id }) => id)
    return new Set(own.slice(0, COUNTED_AT_ONCE / 2))
  }

  /** @returns when the machine wants to be told the time, if nobody knows that yet */
  #armMs(record: BucketRecord): number | undefined {
    const { wakeMs, armedMs } = record
    const known = armedMs !== undefined && wakeMs !== undefined && armedMs <= wakeMs && armedMs > this.ports.now()
    if (wakeMs === undefined || known) return undefined
    record.armedMs = wakeMs
    return wakeMs
  }

  #settle(batch: readonly Waiting[], applied: readonly Applied[]): void {
    logResults(
      this.ports,
      this.definition.name,
      applied.flatMap(({ results }) => results),
    )
    const unnamed = applied.flatMap((one) => one.unnamed)
    if (unnamed.length > 0) this.help.outboxes.track(removeObjects(this.ports, unnamed))
    for (const [i, { settle, fail }] of batch.entries()) {
      const { error, ...committed } = applied[i] as Applied
      if (error === undefined) settle(committed)
      else fail(error)
    }
  }

  async #read(deadline: number): Promise<Known> {
    const item = await this.ports.table.get(this.key.pk, this.key.sk, deadline)
    return this.#knownOf(item, true)
  }

  #knownOf(item: Item | undefined, fresh: boolean): Known {
    const text = item?.[recordName(this.definition.name)]
    const record = new BucketRecord(this.definition, text === undefined ? undefined : unpack(String(text)))
    return { record, item, fresh }
  }
}

const none: ReadonlySet<string> = new Set()

/** Whether the firing goes on with a session. */
function goesOn({ id, session }: HeldSend): boolean {
  return id !== session
}

function sessionOf(change: Change): string {
  return 'session' in change ? change.session : ''
}
