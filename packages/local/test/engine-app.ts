import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Build, createBuilder, type InvokeResult } from '@fusionize/platform'
import { type FunctionSpec, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { createLocalPlatform, type LocalPlatform, type LocalPlatformOptions } from '../src/index.js'

const here = dirname(fileURLToPath(import.meta.url))
const appDir = join(here, 'fixtures/engine')
const adapter = fileURLToPath(import.meta.resolve('@fusionize/local/sandbox'))

/** Builds the fixture app with every task on its own; `change` alters single functions. */
export async function buildApp(
  change: Record<string, Partial<FunctionSpec>> = {},
  options: { tasks?: string; memory?: number } = {},
): Promise<Build> {
  const builder = createBuilder({
    appDir,
    name: 'engine-fixture',
    taskDirs: [options.tasks ?? 'tasks'],
    outDir: '.fusionize/build',
    adapter,
  })
  const setup: FusionSetup = remoteSetup(await builder.scan(), options.memory ?? 256)
  for (const [name, spec] of Object.entries(change))
    setup.functions[name] = { ...(setup.functions[name] as FunctionSpec), ...spec }
  const build = await builder.build(setup)
  await builder.dispose()
  return build
}

/** A platform on a folder of its own, with what undoes it. */
export async function startPlatform(
  options: Partial<LocalPlatformOptions> = {},
): Promise<{ platform: LocalPlatform; dir: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'fusionize-engine-'))
  // Threads that spin load a file that only the build has.
  const create = options.spin ? (await import('../dist/index.js')).createLocalPlatform : createLocalPlatform
  const removed = () => rmSync(dir, { recursive: true, force: true })
  const platform = await create({
    dir,
    app: 'engine-fixture',
    durability: 'none',
    gateway: false,
    ...options,
  }).catch((error: unknown) => {
    removed()
    throw error
  })
  return {
    platform,
    dir,
    async stop() {
      await platform.destroy()
      removed()
    },
  }
}

/** The JSON value that an invocation gave. */
export function jsonOf(result: InvokeResult): unknown {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`)
  return JSON.parse(String(result.output))
}

export function codeOf(result: InvokeResult): string | number | undefined {
  return result.ok ? 'ok' : (result.error.code ?? result.error.name)
}

/** A server that tasks ask for their answer, so that a test decides when they go on. */
export async function openGates() {
  const arrived = new Map<string, ServerResponse[]>()
  const waiting = new Map<string, ((response: ServerResponse) => void)[]>()
  const server = createServer((request, response) => {
    const path = String(request.url)
    const next = waiting.get(path)?.shift()
    if (next) next(response)
    else arrived.set(path, [...(arrived.get(path) ?? []), response])
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: (name: string) => `${origin}/${name}`,
    /** Resolves when a task asks at the gate. */
    arrival(name: string): Promise<{ open(text: string): void }> {
      const path = `/${name}`
      const queued = arrived.get(path)?.shift()
      const response = queued
        ? Promise.resolve(queued)
        : new Promise<ServerResponse>((resolve) => waiting.set(path, [...(waiting.get(path) ?? []), resolve]))
      return response.then((found) => ({ open: (text) => found.end(text) }))
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
