import type { ObjectRef } from 'fusionize/runtime'
import type { Channel } from './channel.js'
import * as kind from './kinds.js'

/**
 * The sandbox's side of large objects. A thread shares their memory with the node; a process writes them to a file, which is the object
 * from then on, and reads files.
 * @param folder where a process writes; absent in a thread
 */
export function sandboxObjects(sandbox: string, folder: string | undefined, channel: () => Channel) {
  /** What came with invocations that are under way: memory, or the path of a file. */
  const here = new Map<string, { part: Uint8Array | string | undefined; uses: number }>()
  /** Memory that was shared in this tick. */
  const fresh = new Map<string, Uint8Array>()
  let count = 0
  return {
    share(value: Uint8Array): ObjectRef {
      const ref = `${sandbox}-${++count}`
      const bytes = value.byteLength
      const part = folder === undefined ? shared(value) : written(folder, ref, value)
      if (typeof part !== 'string') {
        if (fresh.size === 0) process.nextTick(() => fresh.clear())
        fresh.set(ref, part)
      }
      // Before what names it, and with that.
      channel().postLater([kind.object, ref, bytes], [part])
      return { ref, bytes, json: false }
    },
    /** What goes with a delivery past the engine: it was written in this tick. Undefined in a process, whose files are the engine's. */
    attached(delivery: string): { refs: string[]; parts: Uint8Array[] } | undefined {
      if (folder !== undefined) return undefined
      const named = [...fresh].filter(([ref]) => delivery.includes(`"${ref}"`))
      return { refs: named.map(([ref]) => ref), parts: named.map(([, part]) => part) }
    },
    async object(ref: string): Promise<Uint8Array> {
      const part = here.get(ref)?.part
      if (part === undefined) throw new Error(`the object ${ref} is gone: its file could not be read`)
      if (typeof part !== 'string') return part
      const { buffer, byteOffset, byteLength } = await process.getBuiltinModule('node:fs').promises.readFile(part)
      return new Uint8Array(buffer, byteOffset, byteLength)
    },
    /** Objects came with a message. @returns what forgets them */
    take(refs: readonly string[], parts: readonly (Uint8Array | string | undefined)[]): () => void {
      for (const [i, ref] of refs.entries()) {
        const known = here.get(ref)
        if (known) known.uses++
        else here.set(ref, { part: parts[i], uses: 1 })
      }
      return () => {
        for (const ref of refs) {
          const known = here.get(ref)
          if (known && --known.uses === 0) here.delete(ref)
        }
      }
    },
  }
}

function shared(value: Uint8Array): Uint8Array {
  if (value.buffer instanceof SharedArrayBuffer) return value
  const copy = new Uint8Array(new SharedArrayBuffer(value.byteLength))
  copy.set(value)
  return copy
}

/** Written here and now: what is named in a message must be there when the message is. */
function written(folder: string, ref: string, value: Uint8Array): string {
  const fs = process.getBuiltinModule('node:fs')
  fs.mkdirSync(folder, { recursive: true })
  const file = `${folder}/${ref}.part`
  fs.writeFileSync(file, value)
  return file
}
