import { refsIn } from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import type { BucketPorts } from './ports.js'
import type { Run } from './sessions.js'
import type { Slot } from './slot.js'

/** Deliveries whose objects are in the store: they are there as long as the delivery is not done. */
export class Deliveries {
  constructor(
    readonly ports: BucketPorts,
    readonly slotOf: (bucket: string, session: string | undefined) => Slot,
  ) {}

  /** Whether this is another delivery of a firing whose objects are gone: it is over. */
  async isOver({ input }: Run): Promise<boolean> {
    const delivery = deliveryIn(input)
    return (
      delivery !== undefined && (await this.slotOf(delivery.bucket, delivery.session).needs(delivery.refs)) === false
    )
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
