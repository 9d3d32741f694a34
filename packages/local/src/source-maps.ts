import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WireError } from 'fusionize/runtime'

/** A place in an artifact, as stacks name it. */
const PLACE = /(file:\/\/\/[^\s():]+\.mjs|\/[^\s():]+\.mjs):(\d+):(\d+)/g

const maps = new Map<string, { map: SourceMap; dir: string } | undefined>()

/**
 * Puts the user's own files and lines in place of those of artifacts. Node could do so itself (`--enable-source-maps`), but reads
 * the map at every start of a sandbox, which takes longer than loading the fusion handler; here it is read when somebody looks at a stack.
 */
export function mapPlaces(text: string): string {
  if (!text.includes('.mjs:')) return text
  return text.replace(PLACE, (place, file: string, line: string, column: string) => {
    const known = mapOf(file.startsWith('file:') ? fileURLToPath(file) : file)
    const entry = known?.map.findEntry(Number(line) - 1, Number(column) - 1)
    if (known === undefined || entry === undefined || !('originalSource' in entry)) return place
    const source = entry.originalSource
    const path = /^\w+:/.test(source) ? source : resolve(known.dir, source)
    return `${path}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  })
}

/** The error with all its stacks mapped. */
export function mapError(error: WireError): WireError {
  return {
    ...error,
    ...(error.stack === undefined ? {} : { stack: mapPlaces(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: mapError(error.cause) }),
    ...(error.errors === undefined ? {} : { errors: error.errors.map(mapError) }),
  }
}

function mapOf(file: string): { map: SourceMap; dir: string } | undefined {
  if (maps.has(file)) return maps.get(file)
  let found: { map: SourceMap; dir: string } | undefined
  try {
    const payload = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload
    found = { map: new SourceMap(payload), dir: dirname(file) }
  } catch {
    // No map beside it: the place stays as it is.
  }
  maps.set(file, found)
  return found
}
