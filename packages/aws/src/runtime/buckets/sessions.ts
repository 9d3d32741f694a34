import type { Item } from '../table.js'
import { CLOSED, EXPIRES, isClosed, isQuiet, openName, sessionKey, touchedName, VERSION, WATCHED } from './items.js'
import { type BucketPorts, CALL_OPEN_MS, COMMIT_MS, REMEMBER_S, SEND_OPEN_MS } from './ports.js'
import { watchEntry } from './watch.js'

/** A session of which something runs in this sandbox. */
interface Here {
  /** Its first invocation, which nobody counted when it was handed over. */
  root: string | undefined
  /** The table counts the root, or knows that it need not. */
  counted: boolean
  /** Runs here. */
  runs: number
  /** Buckets of the application into which it has put, as the table knows. */
  touched: Set<string>
  /** Its item is there, and in the watch list. */
  watched: boolean
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

  /** A run begins here. @param root the session's first invocation, unless it is counted */
  enter(session: string, root: string | undefined): void {
    const here = this.#here.get(session) ?? {
      root: undefined,
      counted: root === undefined,
      runs: 0,
      touched: new Set(),
      watched: false,
    }
    here.runs++
    if (root !== undefined && here.root === undefined) {
      here.root = root
      here.counted = false
    }
    this.#here.set(session, here)
  }

  leave(session: string): void {
    const here = this.#here.get(session)
    if (here && --here.runs === 0) this.#here.delete(session)
  }

  /** The root to tell a callee of, which may have to count it. */
  uncounted(session: string): string | undefined {
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
    return root === undefined ? {} : { [openName(root)]: this.ports.now() + this.#openMs(session, root) }
  }

  /** A root that is handed over begins its session with its own id. */
  #openMs(session: string, root: string): number {
    return session === root ? SEND_OPEN_MS : CALL_OPEN_MS
  }

  /** Before the first change of the session's item: should everybody die, somebody looks after it. */
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
    return { [WATCHED]: `${entry.pk}\n${entry.sk}`, [EXPIRES]: expires }
  }

  /** The session's item has what `besides` and `watch` said. */
  told(session: string): void {
    const here = this.#here.get(session)
    if (here === undefined) return
    here.counted = true
    here.watched = true
  }

  /** Counts what is about to be handed over. A session that has ended counts nothing more. */
  async count(session: string, ids: readonly string[]): Promise<void> {
    const dueMs = this.ports.now() + SEND_OPEN_MS
    await this.#tell(session, Object.fromEntries(ids.map((id) => [openName(id), dueMs])))
  }

  /** The session puts into a bucket of the application. @returns false when it has ended */
  async touch(session: string, bucket: string): Promise<boolean> {
    const here = this.#here.get(session)
    if (here?.touched.has(bucket)) return true
    const done = await this.#tell(session, { [touchedName(bucket)]: 1 })
    if (done) here?.touched.add(bucket)
    return done
  }

  /** Writes something into the session's item. @returns false when the session has ended */
  note(session: string, what: Item): Promise<boolean> {
    return this.#tell(session, what)
  }

  async #tell(session: string, more: Item): Promise<boolean> {
    const { table, now } = this.ports
    const key = sessionKey(session)
    const here = this.#here.get(session)
    const deadline = now() + COMMIT_MS
    const watched = here?.watched ? {} : await this.watch(session, await table.get(key.pk, key.sk, deadline))
    const set = { ...this.besides(session), ...watched, ...more }
    const { done } = await table.update({ ...key, set, add: { [VERSION]: 1 }, when: { [CLOSED]: undefined } }, deadline)
    if (done) this.told(session)
    return done
  }

  /** An invocation is over, and all that it hands over is counted. */
  async over(session: string, id: string): Promise<void> {
    const { table, now } = this.ports
    const { item } = await table.update(
      { ...sessionKey(session), remove: [openName(id)], add: { [VERSION]: 1 }, when: { [CLOSED]: undefined } },
      now() + COMMIT_MS,
    )
    if (item) await this.look(session, item)
  }

  /** Ends the session if nothing of it is open. */
  async look(session: string, item: Item): Promise<void> {
    if (!isClosed(item) && isQuiet(item)) await this.quiet(session, item)
  }
}
