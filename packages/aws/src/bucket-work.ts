import { AT_ONCE, type BucketTable } from './bucket-table.js'
import { parallel } from './deploy/parallel.js'
import type { Deployed } from './deployed.js'
import type { Item } from './runtime/attributes.js'
import { isClosed, isQuiet, namesWith, VERSION } from './runtime/buckets/items.js'

/** Sessions of which nothing is open: the version of the item, and since when it has that, epoch ms. */
type Quiet = Map<string, { version: number; since: number }>

/** Ms for which a session of which nothing is open may stay as it is, until it is clear that it waits for time: else it ends within them. */
const ENDING_MS = 1000

/** Looks for work of buckets in the app's table: in the watch lists, where every session is that is not over, and in the buckets of the application. */
export class BucketWork {
  /** Entries of watch lists that are there until a sweep, though their sessions have ended. */
  readonly #over = new Set<string>()
  #quiet: Quiet = new Map()

  constructor(
    readonly table: BucketTable,
    readonly now: () => number = Date.now,
  ) {}

  /** @returns sessions and buckets of which something runs, is handed over, or is about to end; each with the version of its item */
  async look({ buckets, functions }: Pick<Deployed, 'buckets' | 'functions'>): Promise<ReadonlyMap<string, number>> {
    const underWay = new Map<string, number>()
    const quiet: Quiet = new Map()
    await parallel(await this.table.watched(functions.keys()), AT_ONCE, async (entry) => {
      const name = `${entry.pk}\n${entry.sk}`
      if (this.#over.has(name)) return
      const session = String(entry.session)
      const item = await this.table.session(session)
      if (item === undefined) return
      const fires = namesWith(item, 'f:').length > 0
      if (isClosed(item) && !fires) this.#over.add(name)
      else if (fires || namesWith(item, 'o:').length > 0) underWay.set(`session ${session}`, Number(item[VERSION]))
      else if (isQuiet(item) && this.#isEnding(session, item, quiet))
        underWay.set(`session ${session}`, Number(item[VERSION]))
    })
    await parallel(buckets, AT_ONCE, async (name) => {
      const item = await this.table.bucket(name)
      if (item && namesWith(item, 'f:').length > 0) underWay.set(`bucket ${name}`, Number(item[VERSION]))
    })
    this.#quiet = quiet
    return underWay
  }

  #isEnding(session: string, item: Item, quiet: Quiet): boolean {
    const version = Number(item[VERSION])
    const known = this.#quiet.get(session)
    const since = known?.version === version ? known.since : this.now()
    quiet.set(session, { version, since })
    return this.now() - since < ENDING_MS
  }
}
