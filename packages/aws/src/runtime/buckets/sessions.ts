import type { HeldSend, Payload } from 'fusionize/runtime'
import type { Item } from '../attributes.js'
import type { ChangingTable, Update } from './changing-table.js'
import {
  CLOSED,
  EXPIRES,
  isClosed,
  isQuiet,
  openName,
  overName,
  SETUP,
  sessionKey,
  touchedName,
  VERSION,
  WATCHED,
} from './items.js'
import { type BucketPorts, CALL_OPEN_MS, COMMIT_MS, REMEMBER_S, SEND_OPEN_MS } from './ports.js'
import { watchEntry } from './watch.js'

/** A run in this function, as far as its session is concerned. */
export interface Run {
  id: string
  session: string
  input?: Payload
  /** It was a dead letter: its session may have ended since it failed. */
  replayed?: true | undefined
  /** How it would be run again. */
  request?: HeldSend | undefined
}

/** The invocation that a session begins with. */
export interface Root {
  id: string
  /** Lambda has it, and may try it again. */
  sent: boolean
}

/**
 * How a session knows of a run: it began with it; its caller waits for it, and tells of the root if nothing counts that yet; or it was handed
 * over, and is counted.
 */
export type From = { kind: 'root'; sent: boolean } | { kind: 'call'; root: Root | undefined } | { kind: 'send' }

/** A session of which something runs in this sandbox. */
interface Here {
  /** Its first invocation, which nobody counted when it was handed over. */
  root: Root | undefined
  /** The table counts the root, or knows that it need not. */
  counted: boolean
  /** What runs here, by id. */
  runs: Map<string, From['kind']>
  /** One of them was a dead letter. */
  replayed: boolean
  /** Buckets of the application into which it has put, as the table knows. */
  touched: Set<string>
  /** Its item is there, and in the watch list. */
  watched: boolean
  /** What was handed over here last, by task. */
  sent: Map<string, HeldSend>
  /** The root itself, when it runs here. */
  request: HeldSend | undefined
}

/**
 * What runs of a session is counted in its item, by id, so that nothing counts twice: before it is handed over, until it is over. A call is not
 * counted, since its caller is; the invocation that a session begins with only when the session does something that outlives it.
 */
export class Sessions {
  readonly #here = new Map<string, Here>()

  constructor(
    readonly ports: BucketPorts,
    /** Nothing of the session was open when its item was read. */
    readonly quiet: (session: string, item: Item) => Promise<void>,
  ) {}

  enter(run: Run, from: From): void {
    const { session, id } = run
    const here = this.#here.get(session) ?? newHere()
    const root = from.kind === 'root' ? { id, sent: from.sent } : from.kind === 'call' ? from.root : undefined
    if (root !== undefined && here.root?.id !== root.id) {
      here.root = root
      here.counted = false
    }
    if (from.kind === 'root') here.request = run.request
    here.runs.set(id, from.kind)
    here.replayed ||= run.replayed === true
    this.#here.set(session, here)
  }

  leave({ session, id }: Run): void {
    const here = this.#here.get(session)
    here?.runs.delete(id)
    if (here?.runs.size === 0) this.#here.delete(session)
  }

  /** A call goes on after its answer: from then on it counts. */
  async outlives({ session, id }: Run): Promise<void> {
    const here = this.#here.get(session)
    if (here?.runs.get(id) !== 'call') return
    if (!isClosed(await this.count(session, [id]))) here.runs.set(id, 'send')
  }

  /** The root to tell a callee of, which may have to count it. */
  uncounted(session: string): Root | undefined {
    const here = this.#here.get(session)
    return here?.counted === false ? here.root : undefined
  }

  /** Whether the table counts the session's root. */
  isCounted(session: string): boolean {
    const here = this.#here.get(session)
    return here?.root !== undefined && here.counted
  }

  /** A callee may have counted the root. */
  wasCounted(session: string): void {
    const here = this.#here.get(session)
    if (here) here.counted = true
  }

  /** What the first change of the session's item has to say besides. */
  besides(session: string): Item {
    const root = this.uncounted(session)
    if (root === undefined) return {}
    return { [openName(root.id)]: this.ports.now() + (root.sent ? SEND_OPEN_MS : CALL_OPEN_MS) }
  }

  /** Should everybody die, somebody looks after the session. @param item as it is known @returns what it must say of that */
  async watch(session: string, item: Item | undefined): Promise<Item> {
    const here = this.#here.get(session)
    if (here?.watched || item?.[WATCHED] !== undefined) {
      if (here) here.watched = true
      return {}
    }
    const { table, now } = this.ports
    const entry = watchEntry(this.ports)
    const expires = Math.ceil(now() / 1000) + 2 * REMEMBER_S
    await table.put({ ...entry, session, expires }, now() + COMMIT_MS)
    return { [WATCHED]: `${entry.pk}\n${entry.sk}`, [SETUP]: this.ports.setup, [EXPIRES]: expires }
  }

  /** The session's item has what `besides` and `watch` said. */
  told(session: string): void {
    const here = this.#here.get(session)
    if (here === undefined) return
    here.counted = true
    here.watched = true
  }

  /**
   * Counts what is about to be handed over. A session that has ended counts nothing more.
   * @param instead what need not be counted from then on
   * @returns the session's item
   */
  async count(session: string, ids: readonly string[], instead?: string): Promise<Item | undefined> {
    const dueMs = this.ports.now() + SEND_OPEN_MS
    const open = Object.fromEntries(ids.map((id) => [openName(id), dueMs]))
    return (await this.#tell(session, open, [], instead === undefined ? [] : [openName(instead)])).item
  }

  /** Keeps the session open for a while: what a change in another item fires is counted only when that is made. */
  async hold(session: string, name: string): Promise<void> {
    await this.#tell(session, { [openName(name)]: this.ports.now() + CALL_OPEN_MS })
  }

  /** What was held need not be any more. */
  async letGo(session: string, name: string): Promise<void> {
    await this.#tell(session, {}, [], [openName(name)])
  }

  /** The session's item. */
  read(session: string): Promise<Item | undefined> {
    const { table, now } = this.ports
    const { pk, sk } = sessionKey(session)
    return table.get(pk, sk, now() + COMMIT_MS)
  }

  /** Changes the session's item. */
  change(session: string, update: Omit<Update, 'pk' | 'sk' | 'add'>): ReturnType<ChangingTable['update']> {
    const { table, now } = this.ports
    return table.update({ ...sessionKey(session), ...update, add: { [VERSION]: 1 } }, now() + COMMIT_MS)
  }

  /** Whether the run is over and comes again: what was handed over counts until it is over, and what a session begins with leaves a note. */
  async isOver({ id, session, replayed }: Run, { kind }: From): Promise<boolean> {
    if (replayed) return false
    const item = await this.read(session)
    return item !== undefined && (kind === 'root' ? overName(id) in item : !(openName(id) in item))
  }

  /**
   * Counts what a run sends; too late, when the session has ended, as well: it is not over then. Unless the run comes again, and has sent it
   * before.
   * @returns the session's item
   */
  async sends(session: string, id: string): Promise<Item | undefined> {
    const item = await this.count(session, [id])
    if (isClosed(item) && !this.#comesAgain(session, item))
      await this.change(session, { set: { [openName(id)]: this.ports.now() + SEND_OPEN_MS } })
    return item
  }

  /** Whether what runs here of the session comes again. */
  async comesAgain(session: string): Promise<boolean> {
    return this.#comesAgain(session, await this.read(session))
  }

  /** The session has ended, which it does not before all that it counts is over. Of calls it does not know. */
  #comesAgain(session: string, item: Item | undefined): boolean {
    const here = this.#here.get(session)
    if (!item || !isClosed(item) || !here || here.replayed) return false
    return [...here.runs].some(([id, kind]) => kind !== 'call' && !(openName(id) in item))
  }

  /** The session puts into a bucket of the application. @returns false when it has ended */
  async touch(session: string, bucket: string): Promise<boolean> {
    const here = this.#here.get(session)
    if (here?.touched.has(bucket)) return true
    const { done } = await this.#tell(session, { [touchedName(bucket)]: 1 })
    if (done) here?.touched.add(bucket)
    return done
  }

  /** What is handed over from here: a promise may be about it. */
  remember(send: HeldSend): void {
    this.#here.get(send.session)?.sent.set(send.task, send)
  }

  /** What was handed over here last to the task. */
  sentBy(session: string, task: string): HeldSend | undefined {
    return this.#here.get(session)?.sent.get(task)
  }

  /** What the session began with, when that runs here. */
  rootOf(session: string): HeldSend | undefined {
    return this.#here.get(session)?.request
  }

  /** Writes something into the session's item. @param absent what must not be there yet @returns false when it is, or the session has ended */
  async note(session: string, what: Item, absent: readonly string[] = []): Promise<boolean> {
    return (await this.#tell(session, what, absent)).done
  }

  async #tell(session: string, more: Item, absent: readonly string[] = [], remove: readonly string[] = []) {
    const when = Object.fromEntries([CLOSED, ...absent].map((name) => [name, undefined]))
    // Where nobody counts the root yet, nobody looks after the session either.
    const early = this.uncounted(session) === undefined ? {} : await this.watch(session, undefined)
    const set = { ...this.besides(session), ...early, ...more }
    const told = await this.change(session, { set, remove, when })
    if (!told.done) return told
    const watched = await this.watch(session, told.item)
    if (Object.keys(watched).length > 0) await this.change(session, { set: watched, when: { [CLOSED]: undefined } })
    this.told(session)
    return told
  }

  /** A run is over, and all that it handed over is counted. */
  async over(run: Run): Promise<void> {
    const { session, id } = run
    const here = this.#here.get(session)
    const kind = here?.runs.get(id) ?? 'send'
    const counted = kind === 'send' || (kind === 'root' && (here?.root?.id !== id || here.counted))
    this.leave(run)
    if (!counted) return
    const set: Item = kind === 'root' ? { [overName(id)]: 1 } : {}
    // A root that was thought to be counted may not be.
    const { item } = await this.change(session, { set, remove: [openName(id)], known: true })
    if (item) await this.look(session, item)
  }

  /** Ends the session if nothing of it is open. @param known its item, if that was just read */
  async look(session: string, known?: Item): Promise<void> {
    const item = known ?? (await this.read(session))
    if (item && !isClosed(item) && isQuiet(item)) await this.quiet(session, item)
  }
}

function newHere(): Here {
  return {
    root: undefined,
    counted: true,
    runs: new Map(),
    replayed: false,
    touched: new Set(),
    watched: false,
    sent: new Map(),
    request: undefined,
  }
}
