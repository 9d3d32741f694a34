import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { functionNode, nodeModules } from './node.js'

/**
 * Amazon's own runtime client for Node, with the native addon that it gets from a build. It is no entry of a manifest, because npm
 * would then run its install script, which needs a compiler, on every machine that only wants the workspace; so the package comes
 * here when a test needs it, at the version and with the content that are named below.
 */
const parts = {
  client: {
    package: 'aws-lambda-ric@4.0.2',
    sha512: 'FE5Vskx7mYNnqAnWWJXUOsLp2VGgdsJsCoRLFTa8L4Yk0QVtArqR8q58yPA++QC1a73ZWJXBQ2AH31nIAv7NOQ==',
  },
  headers: {
    package: 'node-addon-api@8.9.2',
    sha512: 'VijLXbi3UACN69I0JVXJsX4tjACjNoQDgv2gTF6sx2wWEi8tkSg2eX8p5gSIFi8z2+DL3oHmY6OyKce38SDolg==',
  },
} as const

const run = promisify(execFile)
let built: Promise<string> | undefined

/** Path of the runtime client's main file; the first call on a machine builds its addon, which takes about a minute. */
export function runtimeClient(): Promise<string> {
  built ??= build()
  return built
}

async function build(): Promise<string> {
  const home = join(nodeModules, '.cache/fusionize-aws-double')
  const place = join(home, `${parts.client.package.replace('@', '-')}-${process.platform}-${process.arch}`)
  const main = join(place, 'index.mjs')
  if (existsSync(join(place, 'rapid-client.node'))) return main
  needTools()
  mkdirSync(home, { recursive: true })
  const scratch = mkdtempSync(join(home, 'build-'))
  try {
    const [client, headers] = [await fetched(scratch, 'client'), await fetched(scratch, 'headers')]
    await compile(client, headers, await curl(client))
    const ready = join(scratch, 'ready')
    mkdirSync(ready)
    for (const file of ['index.mjs', 'package.json', 'LICENSE', 'NOTICE', 'rapid-client.node'])
      cpSync(join(client, file), join(ready, file))
    moveInto(ready, place)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  return main
}

/** One package, unpacked; its content must be what was looked at when the version was chosen. */
async function fetched(scratch: string, part: keyof typeof parts): Promise<string> {
  const { package: name, sha512 } = parts[part]
  const folder = join(scratch, part)
  mkdirSync(folder)
  await run('npm', ['pack', name, '--pack-destination', folder, '--prefer-offline', '--ignore-scripts'], {
    cwd: folder,
  })
  const archive = join(folder, `${name.replace('@', '-')}.tgz`)
  if (createHash('sha512').update(readFileSync(archive)).digest('base64') !== sha512)
    throw new Error(`${name} is not the package that this version was pinned to: its SHA-512 differs. Nothing was run.`)
  await run('tar', ['xzf', archive, '-C', folder])
  return join(folder, 'package')
}

/**
 * The static library of curl that comes with the package, configured as its own install script would, but no more of it than the
 * library; returns its folder.
 */
async function curl(client: string): Promise<string> {
  const script = readFileSync(join(client, 'scripts/preinstall.sh'), 'utf8')
  const flags = script.match(/--(?:disable|with|without)-[a-z0-9-]+/g) ?? []
  const folder = await unpacked(client, 'curl')
  const options = { cwd: folder, maxBuffer: 1 << 26 }
  await run('./configure', flags, options)
  await run('make', ['-C', 'lib', `-j${availableParallelism()}`], options)
  return folder
}

/** The addon with the sources of Amazon's C++ runtime in it: what `binding.gyp` builds, without node-gyp, Python and CMake. */
async function compile(client: string, addonApi: string, curlFolder: string): Promise<void> {
  const cpp = await unpacked(client, 'aws-lambda-cpp')
  const version = join(cpp, 'version.cpp')
  const text = readFileSync(join(cpp, 'src/version.cpp.in'), 'utf8')
  // Only a User-Agent shows it.
  writeFileSync(version, text.replaceAll(/@PROJECT_VERSION\w*@/g, '0'))
  const flags = ['-shared', '-fPIC', '-O2', '-std=c++20', '-pthread', '-fvisibility=hidden']
  const includes = [functionNode().headers, addonApi, join(cpp, 'include'), join(curlFolder, 'include')]
  const sources = [
    join(client, 'src/native/rapid-client.cc'),
    join(cpp, 'src/runtime.cpp'),
    join(cpp, 'src/logging.cpp'),
    version,
  ]
  await run('g++', [
    ...flags,
    '-DNODE_GYP_MODULE_NAME=rapid_client',
    ...includes.map((folder) => `-I${folder}`),
    ...sources,
    join(curlFolder, 'lib/.libs/libcurl.a'),
    '-o',
    join(client, 'rapid-client.node'),
  ])
}

async function unpacked(client: string, name: string): Promise<string> {
  const folder = join(client, 'deps', name)
  mkdirSync(folder)
  await run('tar', ['xJf', `${folder}.tar.xz`, '--no-same-owner', '-C', folder], { maxBuffer: 1 << 26 })
  return folder
}

function needTools(): void {
  const missing = ['g++', 'make', 'xz'].filter((tool) => spawnSync(tool, ['--version']).error)
  if (missing.length === 0) return
  const command = `apt-get install -y ${missing.join(' ').replace('xz', 'xz-utils')}`
  const [program = '', ...args] = command.split(' ')
  const isRoot = process.getuid?.() === 0
  if (isRoot && spawnSync('apt-get', ['update']).status === 0 && spawnSync(program, args).status === 0) return
  throw new Error(
    `Amazon's runtime client has to be compiled once, and ${missing.join(', ')} is missing. Run: sudo ${command}`,
  )
}

/** Another test run may have been faster; then its result is as good. */
function moveInto(ready: string, place: string): void {
  try {
    renameSync(ready, place)
  } catch (error) {
    if (!existsSync(join(place, 'rapid-client.node'))) throw error
  }
}
