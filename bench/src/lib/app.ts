import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalPlatform, type LocalPlatform, type LocalPlatformOptions } from '@fusionize/local'
import { type Build, type Builder, createBuilder } from '@fusionize/platform'
import { remoteSetup } from 'fusionize/setup'

const adapter = fileURLToPath(import.meta.resolve('@fusionize/local/sandbox'))
const bench = fileURLToPath(new URL('../..', import.meta.url))

/** The builder of an application in `bench/apps`, or in another folder. */
export function builderOf(name: string, appDir = `${bench}/apps/${name}`): Builder {
  return createBuilder({
    appDir,
    name: `bench-${name}`,
    taskDirs: ['tasks'],
    outDir: '.fusionize/artifacts',
    adapter,
  })
}

/** The builder of an application in `examples`. */
export function exampleBuilder(name: string): Builder {
  return builderOf(name, fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)))
}

/** A platform and how to end it. */
export interface Served {
  platform: LocalPlatform
  close(): Promise<void>
}

type ServeOptions = Partial<Omit<LocalPlatformOptions, 'dir' | 'app' | 'gateway'>>

/** A platform without gateway on a folder of its own, with the application deployed all-remote. */
export async function serve(name: string, options: ServeOptions, memoryMb = 1769): Promise<Served> {
  const builder = builderOf(name)
  return serveBuild(await builder.build(remoteSetup(await builder.scan(), memoryMb)), options)
}

/** A platform without gateway on a folder of its own, with the build deployed. */
export async function serveBuild(build: Build, options: ServeOptions): Promise<Served> {
  const dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-'))
  const platform = await createLocalPlatform({ dir, app: build.app.name, gateway: false, ...options })
  await platform.deploy(build)
  return {
    platform,
    async close() {
      await platform.destroy()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/**
 * What the task answered.
 * @throws {Error} when it failed
 */
export async function invoke<T>(platform: LocalPlatform, task: string, input: unknown): Promise<T> {
  const result = await platform.invoke(task, JSON.stringify(input))
  if (!result.ok) throw new Error(`task ${task} failed: ${result.error.message}`)
  return JSON.parse(String(result.output))
}
