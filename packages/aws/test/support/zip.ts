import { strToU8, zipSync } from 'fflate'

/** A deployment package of the given files; `index.mjs` is the one whose `handler` the tests name. */
export function zipOf(files: Record<string, string | Uint8Array>): Uint8Array {
  const entries = Object.entries(files).map(([name, content]) => [
    name,
    typeof content === 'string' ? strToU8(content) : content,
  ])
  return zipSync(Object.fromEntries(entries), { level: 0, mtime: '2000-01-01' })
}

/** One with only a handler in it. */
export function handlerZip(source: string): Uint8Array {
  return zipOf({ 'index.mjs': source })
}
