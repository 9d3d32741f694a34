import type { BucketDefinition } from 'fusionize/buckets'
import { unknownBucket } from './failures.js'
import { isShared } from './firings.js'
import { bucketItemKey, sessionKey } from './items.js'
import type { BucketPorts } from './ports.js'
import { Slot, type SlotHelp } from './slot.js'

/** Records that this sandbox remembers. */
const REMEMBERED = 200

/** The records of buckets that this sandbox works with. */
export class Slots {
  readonly #definitions: Map<string, BucketDefinition>
  readonly #slots = new Map<string, Slot>()

  constructor(
    readonly ports: BucketPorts,
    readonly help: SlotHelp,
  ) {
    this.#definitions = new Map(ports.definitions.map((definition) => [definition.name, definition]))
  }

  /** @throws {FusionizeError} `UNKNOWN_BUCKET` */
  definition(bucket: string): BucketDefinition {
    const definition = this.#definitions.get(bucket)
    if (definition) return definition
    throw unknownBucket(bucket, [...this.#definitions.keys()])
  }

  /** @param session not looked at for a bucket of the application @throws {FusionizeError} `UNKNOWN_BUCKET` */
  of(bucket: string, session: string | undefined): Slot {
    const definition = this.definition(bucket)
    const own = isShared(definition) ? undefined : session
    const name = `${bucket}\n${own ?? ''}`
    const known = this.#slots.get(name)
    if (known) {
      // Those used last stay.
      this.#slots.delete(name)
      this.#slots.set(name, known)
      return known
    }
    const key = own === undefined ? bucketItemKey(bucket) : sessionKey(own)
    const slot = new Slot(this.ports, this.help, key, definition, own)
    this.#slots.set(name, slot)
    for (const [oldest, { isIdle }] of this.#slots) {
      if (this.#slots.size <= REMEMBERED) break
      if (isIdle) this.#slots.delete(oldest)
    }
    return slot
  }
}
