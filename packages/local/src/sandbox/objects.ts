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
  let count = 0
  return {
    share(value: Uint8Array): ObjectRef {
      const ref = `${sandbox}-${++count}`
      const bytes = value.byteLength
      channel().post([kind.object, ref, bytes], [folder === undefined ? shared(value) : written(folder, ref, value)])
      return { ref, bytes, json: false }
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
