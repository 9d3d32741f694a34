import { type Deliverable, isRef } from 'fusionize/buckets'

/** Whether two values have the same bytes; of large ones that is known when both have been read. */
export class Comparer {
  /** Large values that were read, by name: the live one that is the same, if it is. */
  readonly #read = new Map<string, string | undefined>()

  constructor(private readonly read: (ref: string) => Uint8Array | Promise<Uint8Array>) {}

  readonly same = (live: Deliverable, value: Deliverable): boolean => {
    if (isRef(live) || isRef(value))
      return isRef(live) && isRef(value) && (live.ref === value.ref || this.#read.get(value.ref) === live.ref)
    if (!(live instanceof Uint8Array && value instanceof Uint8Array)) return live === value
    return live.length === value.length && Buffer.compare(live, value) === 0
  }

  /** Whether both must be read first; then `then` is called when `same` knows. */
  mustRead(live: Deliverable, value: Deliverable, then: () => void): boolean {
    if (!isRef(value) || !isRef(live) || live.bytes !== value.bytes || this.#read.has(value.ref)) return false
    void Promise.all([this.read(live.ref), this.read(value.ref)])
      .then(([a, b]) => Buffer.compare(a, b) === 0)
      // What cannot be read any more is not the same.
      .catch(() => false)
      .then((equal) => {
        this.#read.set(value.ref, equal ? live.ref : undefined)
        then()
        this.#read.delete(value.ref)
      })
    return true
  }
}
