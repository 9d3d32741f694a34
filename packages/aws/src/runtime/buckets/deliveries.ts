import { refsIn } from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import { isClosed, sessionKey } from './items.js'
import { type BucketPorts, COMMIT_MS } from './ports.js'
import type { Run } from './sessions.js'
import type { Slot } from './slot.js'

/** Deliveries whose objects are in the store: they are there as long as the delivery is not done. */
export class Deliveries {
  constructor(
    readonly ports: BucketPorts,
    readonly slotOf: (bucket: string, session: string | undefined) => Slot,
  ) {}

  /**
   * Whether this is another delivery of a firing that is over: then its objects are gone. One whose objects stand in its input is not known
   * again, and runs twice.
   * @param replayed it failed for good before, and what it needs was kept for this
   */
  async isOver({ id, session, input }: Run, replayed: boolean): Promise<boolean> {
    const delivery = deliveryIn(input)
    if (!delivery) return false
    const needed = await this.slotOf(delivery.bucket, delivery.session).needs(delivery.refs)
    if (needed !== undefined) return !needed
    // What its end has delivered outlives a session, and nothing else.
    if (id === session || replayed) return false
    const { pk, sk } = sessionKey(session)
    return isClosed(await this.ports.table.get(pk, sk, this.ports.now() + COMMIT_MS))
  }

  /** What was delivered is not needed any more. */
  async over(input: Payload): Promise<void> {
    const delivery = deliveryIn(input)
    if (!delivery) return
    const { log, newId, now } = this.ports
    const { bucket, id, refs, session } = delivery
    await this.slotOf(bucket, session)
      .change({ op: 'release', by: id, refs }, { trace: newId(), parent: '', at: now() })
      .catch((error: Error) =>
        // They expire.
        log('info', session ?? '', `objects of bucket '${bucket}' stay until they expire: ${error.message}`),
      )
  }
}

/** The firing that an input is from, if it names objects of the store. */
function deliveryIn(input: Payload) {
  const refs = refsIn(input).map(({ ref }) => ref)
  if (refs.length === 0) return undefined
  const { head, items } = JSON.parse(String(input).slice(1)) as {
    head: { fired: { bucket: string; id: string } }
    items: [key: string, session: string][]
  }
  return { ...head.fired, refs, session: items[0]?.[1] }
}
