import { type BucketDefinition, type Delivery, flushesAtEnd } from 'fusionize/buckets'
import { BucketRecord } from '../../src/runtime/buckets/bucket-record.js'
import type { Change } from '../../src/runtime/buckets/changes.js'
import { isShared } from '../../src/runtime/buckets/firings.js'
import { unpack } from '../../src/runtime/buckets/packed.js'
import type { FakeTable } from './fake-table.js'

/**
 * Follows what is committed: every record that is written was made by changes of the one before, so these changes, in the order of the
 * commits, go to one bucket in memory.
 */
export class Committed {
  /** What the buckets in memory fired, by id. */
  readonly fired = new Map<string, Delivery<unknown>['firing']>()
  /** Puts that count, as new objects or as ones that were known. */
  readonly puts = new Set<string>()
  /** Puts that count as new objects: each once. */
  readonly #accepted = new Set<string>()
  readonly #models = new Map<string, BucketRecord>()
  readonly #definitions: Map<string, BucketDefinition>
  /** Changes that led to a text, by text. */
  readonly #made = new Map<string, readonly Change[]>()
  #restore: () => void = () => {}

  constructor(definitions: readonly BucketDefinition[], table: FakeTable) {
    this.#definitions = new Map(definitions.map((one) => [one.name, one]))
    this.#spy()
    table.changed = ({ pk, set = {} }, before) => {
      const session = pk.startsWith('session#') ? pk.slice('session#'.length) : undefined
      for (const [name, value] of Object.entries(set))
        if (name.startsWith('b:')) this.#commit(name.slice(2), session, this.#made.get(unpack(String(value))))
      if (set.closed === undefined || session === undefined) return
      const own = Object.keys(before ?? {}).filter((name) => name.startsWith('b:'))
      for (const flushOnly of [true, false])
        for (const name of own) {
          const bucket = name.slice(2)
          const flushes = flushesAtEnd(this.#definitions.get(bucket)?.triggers ?? [])
          if (!flushOnly || flushes)
            this.#commit(bucket, session, [{ op: 'end', session, ...(flushOnly && { flushOnly }) }])
        }
    }
  }

  close(): void {
    this.#restore()
  }

  #commit(bucket: string, session: string | undefined, changes: readonly Change[] | undefined): void {
    if (changes === undefined) throw new Error(`nobody made the record of ${bucket}`)
    const definition = this.#definitions.get(bucket) as BucketDefinition
    const name = isShared(definition) ? bucket : `${bucket}\n${session}`
    const model = this.#models.get(name) ?? new BucketRecord(definition)
    this.#models.set(name, model)
    for (const change of changes) {
      const { accepted, deliveries, error } = model.apply(change)
      if (accepted && change.op === 'put') this.#accept(`${bucket}\n${change.id}`)
      if (error === undefined && change.op === 'put') this.puts.add(`${bucket}\n${change.id}`)
      for (const { firing } of deliveries) this.fired.set(firing.id, structuredClone({ ...firing }))
    }
  }

  #accept(put: string): void {
    if (this.#accepted.has(put)) throw new Error(`${put} counted twice`)
    this.#accepted.add(put)
  }

  #spy(): void {
    const { prototype } = BucketRecord
    const { apply, text } = prototype
    const changes = new WeakMap<BucketRecord, Change[]>()
    const made = this.#made
    const models = this.#models
    prototype.apply = function (change) {
      if (![...models.values()].includes(this)) changes.set(this, [...(changes.get(this) ?? []), change])
      return apply.call(this, change)
    }
    prototype.text = function (sessions) {
      const result = text.call(this, sessions)
      made.set(result, [...(changes.get(this) ?? [])])
      return result
    }
    this.#restore = () => {
      prototype.apply = apply
      prototype.text = text
    }
  }
}
