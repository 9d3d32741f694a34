import type { Item } from '../attributes.js'
import type { Applied } from './bucket-record.js'
import { namesWith, sessionKey, unneededName } from './items.js'
import { type BucketPorts, COMMIT_MS } from './ports.js'

/** Ms between two looks at a session whose sources run here: a reading costs a thousandth of a millisecond of the smallest function. */
const LOOK_MS = 1_000

/** Runs of this sandbox that are sources of buckets which need not have them all: the session's item says which are not needed. */
export class Sources {
  /** By session, then by bucket and source. */
  readonly #running = new Map<string, Map<string, string>>()

  constructor(readonly ports: Pick<BucketPorts, 'cancel' | 'now' | 'pause' | 'table'>) {}

  /** The run is the source, until it ends; it may not be needed any more. */
  async began(session: string, bucket: string, source: string, run: string): Promise<void> {
    const known = this.#running.get(session)
    const running = known ?? new Map<string, string>()
    running.set(nameOf(bucket, source), run)
    this.#running.set(session, running)
    await this.#look(session)
    if (!known) void this.#follow(session, running)
  }

  ended(session: string, bucket: string, source: string): void {
    const running = this.#running.get(session)
    running?.delete(nameOf(bucket, source))
    if (running?.size === 0) this.#running.delete(session)
  }

  /** What is not needed stops. @param item of the session, as it is now */
  saw(session: string, item: Item): void {
    for (const [bucket, source] of unneededIn(item))
      this.ports.cancel(this.#running.get(session)?.get(nameOf(bucket, source)) ?? source)
  }

  /** A run may ask for nothing for a long time. */
  async #follow(session: string, running: ReadonlyMap<string, string>): Promise<void> {
    for (;;) {
      await this.ports.pause(LOOK_MS)
      if (this.#running.get(session) !== running) return
      // Another look follows.
      await this.#look(session).catch(() => {})
    }
  }

  async #look(session: string): Promise<void> {
    const { table, now } = this.ports
    const { pk, sk } = sessionKey(session)
    const item = await table.get(pk, sk, now() + COMMIT_MS)
    if (item) this.saw(session, item)
  }
}

/** What a commit has found nobody needs: by session, what its item must say of that. */
export function notNeeded(bucket: string, applied: readonly Pick<Applied, 'results'>[], commit: string) {
  const sources = new Map<string, [bucket: string, source: string][]>()
  for (const { cancelled } of applied.flatMap(({ results }) => results))
    for (const { session, source } of cancelled)
      sources.set(session, [...(sources.get(session) ?? []), [bucket, source]])
  return new Map(
    [...sources].map(([session, all]): [string, Item] => [session, { [unneededName(commit)]: JSON.stringify(all) }]),
  )
}

/** Sources of the session that nobody needs any more. */
function unneededIn(item: Item): [bucket: string, source: string][] {
  return namesWith(item, 'u:').flatMap((name) => JSON.parse(String(item[name])) as [string, string][])
}

function nameOf(bucket: string, source: string): string {
  return `${bucket}\n${source}`
}
