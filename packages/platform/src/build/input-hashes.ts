import { readFile } from 'node:fs/promises'
import type { Bundle } from './bundle.js'
import { sha256 } from './hash.js'
import type { Layout } from './layout.js'
import type { Material } from './material.js'

const stubPrefix = 'stub:'

/** Content hashes of what artifacts are made from, under names that hold wherever the app lies; asks the disk once for each. */
export class InputHashes {
  readonly #layout: Layout
  readonly #material: Material
  readonly #known = new Map<string, Promise<string | undefined>>()

  constructor(layout: Layout, material: Material) {
    this.#layout = layout
    this.#material = material
  }

  /**
   * Hash of one input, undefined when it is gone.
   * @param stubbed sources of the artifact's stubs by file
   */
  async of(input: string, stubbed: ReadonlyMap<string, string>): Promise<string | undefined> {
    if (input.startsWith(stubPrefix)) {
      const stub = stubbed.get(this.#layout.fromApp(input.slice(stubPrefix.length)))
      return stub && sha256(stub)
    }
    const known = this.#known.get(input) ?? this.#read(this.#layout.fromApp(input))
    this.#known.set(input, known)
    return known
  }

  /** All inputs of a bundle with their hashes. */
  async ofBundle(bundle: Bundle, stubbed: ReadonlyMap<string, string>): Promise<Record<string, string>> {
    const names = [
      ...bundle.inputs.map((file) => this.#layout.appPath(file)),
      ...bundle.stubs.map((file) => stubPrefix + this.#layout.appPath(file)),
    ]
    const hashes = await Promise.all(names.map((name) => this.of(name, stubbed)))
    return Object.fromEntries(names.map((name, i) => [name, hashes[i] ?? '']))
  }

  async #read(file: string): Promise<string | undefined> {
    const read = this.#material.graph.files.get(file)
    if (!read) return readFile(file).then(sha256, () => undefined)
    // where the imports lead is part of the input: a new file can take the place of another
    const links = [...read.links].map(([specifier, to]) => [specifier, this.#layout.appPath(to)])
    return sha256(JSON.stringify([read.module.source.hash, links]))
  }
}
