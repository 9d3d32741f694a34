import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalPlatform, type LocalPlatform, type LocalPlatformOptions } from '@fusionize/local'
import { type Builder, createBuilder, type InvokeResult } from '@fusionize/platform'
import { decode, errorFromWire } from 'fusionize/runtime'

/** A builder for an application in `appDir` with its tasks in `tasks/`, for the local platform. */
export function localBuilder(appDir: string, name: string): Builder {
  const adapter = fileURLToPath(import.meta.resolve('@fusionize/local/sandbox'))
  return createBuilder({ appDir, name, taskDirs: ['tasks'], outDir: '.fusionize/test-build', adapter })
}

/** A folder of its own under the system's, with what removes it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'fusionize-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** A platform with its state in a folder of its own, and what ends it and removes the folder. */
export async function startLocal(
  app: string,
  options: Partial<LocalPlatformOptions>,
): Promise<{ platform: LocalPlatform; stop(): Promise<void> }> {
  const folder = await temporaryFolder()
  const platform = await createLocalPlatform({ dir: folder.path, app, port: 0, gateway: false, ...options })
  return {
    platform,
    async stop() {
      await platform.destroy()
      await folder.remove()
    },
  }
}

/** What the task returned. @throws what the task threw, as a caller in a function gets it */
export function outputOf(result: InvokeResult): unknown {
  if (!result.ok) throw errorFromWire(result.error)
  return decode(result.output)
}
