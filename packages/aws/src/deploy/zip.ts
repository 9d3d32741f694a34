import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Artifact } from '@fusionize/platform'
import { type Zippable, zip } from 'fflate'
import { FusionizeError } from 'fusionize'
import { packageFiles } from './packages.js'
import type { Code } from './resources.js'
import type { Settings } from './settings.js'

/** A function's code as Lambda takes it. */
export interface CodePackage extends Code {
  zip: Uint8Array
}

/** What points outside the zip once the code is in Lambda's folder. */
const outside = /(?:from|import|import\(|require\()\s*["'](\.\.\/[^"']*node_modules\/[^"']*)["']/

/**
 * The zip of an artifact and of the packages that it loads at run time; equal for equal content, on every machine.
 * @throws {FusionizeError} `DEPLOY_FAILED` when a package is not there, or was built for another machine
 */
export async function packageCode(
  artifact: Artifact,
  { architecture, sourceMaps }: Pick<Settings, 'architecture' | 'sourceMaps'>,
): Promise<CodePackage> {
  const code = await readFile(artifact.file)
  const [, stray] = outside.exec(code.toString('utf8')) ?? []
  if (stray !== undefined)
    throw new FusionizeError(
      'DEPLOY_FAILED',
      `function '${artifact.function}' loads ${stray.slice(stray.lastIndexOf('node_modules/') + 13)}, which a dependency brought along; add its package to the dependencies of your application, so that it can go with the code`,
      { function: artifact.function },
    )
  const files = new Map<string, Uint8Array>([['index.mjs', code]])
  if (sourceMaps) files.set('index.mjs.map', await readFile(`${artifact.file}.map`))
  if (artifact.externals.length > 0)
    for (const [path, content] of await packageFiles(artifact.externals, dirname(artifact.file), architecture))
      files.set(path, content)
  return zipFiles(files)
}

/** A deterministic zip of files by path. */
export async function zipFiles(files: ReadonlyMap<string, Uint8Array>): Promise<CodePackage> {
  // Noon of the first day that a zip can name, in whatever time zone: the same bytes everywhere. Readable by all: Lambda's user is not the owner.
  const attributes = { os: 3, attrs: 0o100644 << 16, mtime: new Date(1980, 0, 1, 12) }
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
  const entries: Zippable = Object.fromEntries(sorted.map(([path, content]) => [path, [content, attributes]]))
  const bytes = await new Promise<Uint8Array>((resolve, reject) =>
    zip(entries, { level: 9, consume: false }, (error, data) => (error ? reject(error) : resolve(data))),
  )
  return {
    zip: bytes,
    sha256: createHash('sha256').update(bytes).digest('base64'),
    bytes: bytes.byteLength,
    unzippedBytes: sorted.reduce((sum, [, content]) => sum + content.byteLength, 0),
  }
}
