import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalPlatform, type LocalPlatform, type LocalPlatformOptions } from '@fusionize/local'
import { type Builder, createBuilder } from '@fusionize/platform'
import { remoteSetup } from 'fusionize/setup'

const adapter = fileURLToPath(import.meta.resolve('@fusionize/local/sandbox'))
const bench = fileURLToPath(new URL('../..', import.meta.url))

/** The builder of an application in `bench/apps`. */
export function builderOf(name: string): Builder {
  return createBuilder({
    appDir: `${bench}/apps/${name}`,
    name: `bench-${name}`,
    taskDirs: ['tasks'],
    outDir: '.fusionize/artifacts',
    adapter,
  })
}

/** A platform without gateway on a folder of its own, with the application deployed all-remote. */
export async function serve(
  name: string,
  options: Pick<LocalPlatformOptions, 'isolation' | 'durability'>,
  memoryMb = 1769,
): Promise<{ platform: LocalPlatform; close(): Promise<void> }> {
  const builder = builderOf(name)
  const app = await builder.scan()
  const dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-'))
  const platform = await createLocalPlatform({ dir, app: app.name, gateway: false, ...options })
  await platform.deploy(await builder.build(remoteSetup(app, memoryMb)))
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
