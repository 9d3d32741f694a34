import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bundle } from './bundle.js'
import { sha256 } from './hash.js'

/** What the store knows about an artifact that it holds. */
export interface StoredArtifact {
  /** Name of its folder. */
  dir: string
  hash: string
  bytes: number
  externals: string[]
  /** Content hashes of what it was made from. */
  inputs: Record<string, string>
}

interface Index {
  version: number
  /** By the hash of what was asked for; the newest answer. */
  artifacts: Record<string, StoredArtifact>
}

const indexVersion = 1
const indexName = 'index.json'
const codeName = 'index.mjs'
const mapName = 'index.mjs.map'

/** Artifacts on disk: `<outDir>/<function>-<hash>/index.mjs`, and an index that lets the next process reuse them. */
export class ArtifactStore {
  readonly #dir: string
  #index: Index | undefined
  #changed = false

  constructor(dir: string) {
    this.#dir = dir
  }

  fileOf(artifact: StoredArtifact): string {
    return join(this.#dir, artifact.dir, codeName)
  }

  /** The artifact made for `key`, unless one of its inputs or the artifact itself changed since. */
  async find(key: string, hashOf: (input: string) => Promise<string | undefined>): Promise<StoredArtifact | undefined> {
    const { artifacts } = await this.#read()
    const known = Object.hasOwn(artifacts, key) ? artifacts[key] : undefined
    if (!known) return undefined
    for (const [input, hash] of Object.entries(known.inputs)) if ((await hashOf(input)) !== hash) return undefined
    return (await hashFile(this.fileOf(known))) === known.hash ? known : undefined
  }

  /** Puts a bundle on disk: nobody ever sees half of it. */
  async add(key: string, fn: string, bundle: Bundle, inputs: Record<string, string>): Promise<StoredArtifact> {
    const hash = sha256(bundle.code)
    const dir = `${fn}-${hash.slice(0, 12)}`
    const stored = { dir, hash, bytes: bundle.code.byteLength, externals: bundle.externals, inputs }
    const temporary = join(this.#dir, `.${dir}-${unique()}`)
    await mkdir(temporary, { recursive: true })
    await Promise.all([
      writeFile(join(temporary, codeName), bundle.code),
      writeFile(join(temporary, mapName), bundle.map),
    ])
    if (!(await moveDir(temporary, join(this.#dir, dir)))) {
      if ((await hashFile(this.fileOf(stored))) === hash) {
        // equal code is there already, perhaps with a map of moved lines
        await rename(join(temporary, mapName), join(this.#dir, dir, mapName))
      } else {
        await rm(join(this.#dir, dir), { recursive: true, force: true })
        await moveDir(temporary, join(this.#dir, dir))
      }
      await rm(temporary, { recursive: true, force: true })
    }
    const index = await this.#read()
    index.artifacts[key] = stored
    this.#changed = true
    return stored
  }

  /** Writes the index if it changed. */
  async save(): Promise<void> {
    if (!this.#changed || !this.#index) return
    this.#changed = false
    const temporary = join(this.#dir, `.${indexName}-${unique()}`)
    await writeFile(temporary, JSON.stringify(this.#index))
    await rename(temporary, join(this.#dir, indexName))
  }

  /** Deletes all artifacts but those in the folders `keep`; returns the names of what it deleted. */
  async prune(keep: ReadonlySet<string>): Promise<string[]> {
    const entries = await readdir(this.#dir, { withFileTypes: true }).catch(() => [])
    const old = entries.filter((entry) => entry.isDirectory() && !keep.has(entry.name)).map((entry) => entry.name)
    await Promise.all(old.map((name) => rm(join(this.#dir, name), { recursive: true, force: true })))
    const index = await this.#read()
    for (const [key, artifact] of Object.entries(index.artifacts))
      if (!keep.has(artifact.dir)) delete index.artifacts[key]
    this.#changed = true
    if (old.length > 0) await this.save()
    return old.sort()
  }

  async #read(): Promise<Index> {
    this.#index ??= await readIndex(join(this.#dir, indexName))
    return this.#index
  }
}

function unique(): string {
  return randomUUID().slice(0, 8)
}

/** False when the target is there already. */
async function moveDir(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM') return false
    throw error
  }
}

async function readIndex(file: string): Promise<Index> {
  const empty = { version: indexVersion, artifacts: {} }
  try {
    const index = JSON.parse(await readFile(file, 'utf8')) as Index
    return index.version === indexVersion ? index : empty
  } catch {
    // no index, or one that a crash left unreadable: everything is built again
    return empty
  }
}

async function hashFile(file: string): Promise<string | undefined> {
  try {
    return sha256(await readFile(file))
  } catch {
    return undefined
  }
}
