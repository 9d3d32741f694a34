import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import {
  createTraceImporter,
  type ImportOptions,
  type ImportSummary,
  type RequestTrace,
  type Skipped,
} from '@fusionize/planner'
import { UsageError } from '../terminal/usage-error.js'

/** What was read of the files, and the first things that could not be used. */
export interface Reading extends ImportSummary {
  firstSkipped: Skipped[]
}

export interface ReadOptions extends ImportOptions {
  /** Skipped things that are kept by name. @default 10 */
  named?: number
  /** Where `-` is read from. @default process.stdin */
  stdin?: Readable
  /** Told now and then how many spans were read. */
  onProgress?: (spans: number) => void
}

/**
 * Reads traces from files, gzipped or not, one after the other and piece by piece; `-` is stdin.
 * @throws {UsageError} a file does not exist or is a folder; nothing was read then
 */
export async function readTraces(
  files: readonly string[],
  onTrace: (trace: RequestTrace) => void,
  { named = 10, stdin = process.stdin, onProgress, ...options }: ReadOptions = {},
): Promise<Reading> {
  for (const file of files) if (file !== '-') await mustBeFile(file)
  const firstSkipped: Skipped[] = []
  const skip = (skipped: Skipped) => {
    if (firstSkipped.length < named) firstSkipped.push(skipped)
  }
  const importer = createTraceImporter({ trace: onTrace, skip }, options)
  for (const file of files) {
    const reader = importer.file(file === '-' ? 'stdin' : file)
    const decoder = new TextDecoder()
    try {
      for await (const chunk of await plain(
        file === '-' ? stdin : createReadStream(file, { highWaterMark: 2 ** 20 }),
      )) {
        reader.feed(decoder.decode(chunk, { stream: true }))
        onProgress?.(chunk.length)
      }
    } catch (error) {
      // What was read before the damage counts.
      if (error instanceof Packed) reader.damaged(error.message)
      else if (!(error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw error
      else reader.damaged(`the gzip data is damaged or breaks off (${(error as Error).message})`)
    }
    reader.feed(decoder.decode())
    reader.end()
  }
  return { ...importer.end(), firstSkipped }
}

async function mustBeFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined)
  if (!found) throw new UsageError(`there is no file ${file}`)
  if (found.isDirectory()) throw new UsageError(`${file} is a folder; give the files in it: ${file}/*`)
}

/** A file that is packed in a way that is not read. */
class Packed extends Error {}

/** First bytes of what is not read. */
const packers: readonly [name: string, bytes: readonly number[]][] = [
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
  ['bzip2', [0x42, 0x5a, 0x68]],
]

/** The bytes of a stream, unpacked when it is gzip by its first two bytes. */
async function plain(source: Readable): Promise<AsyncIterable<Uint8Array>> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  let head: Uint8Array = new Uint8Array()
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    head = head.length === 0 ? bytesOf(next.value) : Buffer.concat([head, bytesOf(next.value)])
    if (head.length >= 4) break
  }
  const all = async function* () {
    if (head.length > 0) yield head
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield bytesOf(next.value)
  }
  const packer = packers.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))
  if (packer) throw new Packed(`it is packed with ${packer[0]}; unpack it first, to stdin for instance`)
  if (head[0] !== 0x1f || head[1] !== 0x8b) return all()
  const gunzip = createGunzip({ chunkSize: 2 ** 20 })
  // Its failure comes out of the gunzip, which is read.
  pipeline(Readable.from(all()), gunzip, () => {})
  return gunzip
}

const bytesOf = (chunk: Uint8Array | string): Uint8Array => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
