import { type Deliverable, isRef, type ObjectRef, refsIn } from 'fusionize/buckets'
import type { Payload } from 'fusionize/runtime'
import type { ObjectStore } from '../objects/index.js'
import type { Part } from '../sandbox/messages.js'

/** JSON longer than this, in characters, goes to the object store. */
const LARGE_TEXT = 256 * 1024

/** The large objects of a node's buckets: what sandboxes hand in, under the names of the object store. */
export class LargeObjects {
  /** Names in the store of what sandboxes handed in and have not named yet, by their own name for it. */
  readonly #arrived = new Map<string, string>()

  constructor(
    readonly store: ObjectStore,
    /** Sandboxes are threads: they share the node's memory. */
    readonly sharesMemory: boolean,
    /** Objects are written before they count. */
    readonly durable: boolean,
  ) {}

  /**
   * A sandbox hands in an object: its memory, or the path of a file that it wrote.
   * @returns when it is safe, if that takes time: what the sandbox says next may name it, and waits
   */
  arrive(ref: string, bytes: number, part: Part): Promise<void> | undefined {
    if (part instanceof Uint8Array) {
      const { id, held } = this.store.hold(part)
      this.#arrived.set(ref, id)
      return this.durable ? held : undefined
    }
    return this.store.adopt(String(part), bytes).then((id) => {
      this.#arrived.set(ref, id)
    })
  }

  /** The sandbox is gone: nobody will name what it handed in. */
  gone(sandbox: string): void {
    for (const [ref, id] of this.#arrived) {
      if (!ref.startsWith(`${sandbox}-`)) continue
      this.#arrived.delete(ref)
      this.store.release(id)
    }
  }

  /**
   * A value as the node keeps it: large ones by their name in the store, of which the value now has a reference.
   * @returns also when it is safe, if that takes time
   */
  intern(value: Deliverable): { value: Deliverable; held?: Promise<void> } {
    if (typeof value === 'string' && value.length > LARGE_TEXT) {
      const text = new Uint8Array(Buffer.from(value))
      const { id, held } = this.store.hold(text)
      return { value: { ref: id, bytes: text.byteLength, json: true }, ...(this.durable && { held }) }
    }
    return { value: isRef(value) ? this.#named(value) : value }
  }

  /** A delivery that a sandbox wrote, with the names of the store. */
  internText(input: Payload): Payload {
    let text = input
    for (const ref of refsIn(input)) {
      const named = this.#named(ref)
      if (named.ref !== ref.ref) text = (text as string).replaceAll(`"ref":"${ref.ref}"`, `"ref":"${named.ref}"`)
    }
    return text
  }

  #named(ref: ObjectRef): ObjectRef {
    const id = this.#arrived.get(ref.ref)
    if (id === undefined) return ref
    this.#arrived.delete(ref.ref)
    return { ...ref, ref: id }
  }

  retain(value: Deliverable): void {
    if (isRef(value)) this.store.retain(value.ref)
  }

  release(value: Deliverable): void {
    if (isRef(value)) this.store.release(value.ref)
  }

  /** A send begins again after it was over: its input has references of its own. */
  renewed(input: Payload): void {
    for (const ref of refsIn(input)) this.retain(ref)
  }

  /** A send that is over gives up what its input names. */
  finished(input: Payload): void {
    for (const ref of refsIn(input)) this.release(ref)
  }

  /** What a sandbox needs to read the objects that the input names. Undefined when it names none. */
  forSandbox(input: Payload): { refs: string[]; parts: Promise<Part[]> } | undefined {
    const refs = refsIn(input).map(({ ref }) => ref)
    if (refs.length === 0) return undefined
    const part = async (ref: string): Promise<Part> => {
      try {
        return this.sharesMemory ? await this.store.read(ref) : await this.store.file(ref)
      } catch {
        return undefined
      }
    }
    return { refs, parts: Promise.all(refs.map(part)) }
  }
}
