import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { unzipSync } from 'fflate'
import { AwsError } from '../gateway/error.js'

/** Largest deployment package, unpacked, bytes. */
export const LARGEST_UNZIPPED = 262_144_000

/** The zips that were uploaded, by hash, and the folders in which they are unpacked once something runs them. */
export class CodeStore {
  readonly #folder: string
  readonly #zips = new Map<string, Buffer>()
  readonly #unpacked = new Map<string, string>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Keeps a zip; returns its SHA-256 in base64.
   *
   * @throws AwsError where it is no zip or too large.
   */
  add(zip: Buffer): string {
    const size = unzippedSize(zip)
    if (size > LARGEST_UNZIPPED)
      throw new AwsError(
        'InvalidParameterValueException',
        400,
        `Unzipped size must be smaller than ${LARGEST_UNZIPPED} bytes`,
      )
    const hash = createHash('sha256').update(zip).digest('base64')
    this.#zips.set(hash, zip)
    return hash
  }

  sizeOf(hash: string): number {
    return this.#zips.get(hash)?.length ?? 0
  }

  zip(hash: string): Buffer | undefined {
    return this.#zips.get(hash)
  }

  /** Folder with the files of the zip. */
  folder(hash: string): string {
    const ready = this.#unpacked.get(hash)
    if (ready) return ready
    const zip = this.#zips.get(hash)
    if (!zip) throw new Error(`The double has no code ${hash}`)
    const folder = join(this.#folder, 'code', hash.replaceAll(/\W/g, '_'))
    mkdirSync(folder, { recursive: true })
    for (const [name, bytes] of Object.entries(unzipSync(zip))) {
      if (name.endsWith('/')) continue
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), bytes)
    }
    this.#unpacked.set(hash, folder)
    return folder
  }
}

function unzippedSize(zip: Buffer): number {
  let total = 0
  try {
    unzipSync(zip, {
      filter: ({ originalSize }) => {
        total += originalSize
        return false
      },
    })
  } catch {
    throw new AwsError(
      'InvalidParameterValueException',
      400,
      'Could not unzip uploaded file. Please check your file, then try to upload again.',
    )
  }
  return total
}
