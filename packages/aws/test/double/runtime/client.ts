import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { functionNode } from './node.js'
import { fetched, prepared } from './packages.js'

const run = promisify(execFile)
let built: Promise<string> | undefined

/** Path of the main file of Amazon's own runtime client for Node; the first call on a machine builds its addon, which takes about a minute. */
export function runtimeClient(): Promise<string> {
  built ??= prepared('client', build).then((folder) => join(folder, 'index.mjs'))
  return built
}

async function build(scratch: string): Promise<string> {
  needTools()
  const [client, addonApi] = [await fetched('client', scratch), await fetched('addonApi', scratch)]
  await compile(client, addonApi, await curl(client))
  const ready = join(scratch, 'ready')
  mkdirSync(ready)
  for (const file of ['index.mjs', 'package.json', 'LICENSE', 'NOTICE', 'rapid-client.node'])
    cpSync(join(client, file), join(ready, file))
  return ready
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
  const { headers } = await functionNode()
  const includes = [headers, addonApi, join(cpp, 'include'), join(curlFolder, 'include')]
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
