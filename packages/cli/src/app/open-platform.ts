import type { LocalPlatform, LocalPlatformOptions } from '@fusionize/local'
import { FusionizeError, suggest } from 'fusionize'
import type { LoadedApp } from './load-app.js'

/** What the one who starts a platform decides; undefined values say nothing. */
export type PlatformOverrides = Partial<Omit<LocalPlatformOptions, 'app'>>

/** What runs the application here, by the platform in its configuration: one that serves on AWS runs locally while it is developed. */
const platforms: Record<string, (loaded: LoadedApp, overrides: PlatformOverrides) => Promise<LocalPlatform>> = {
  local: openLocal,
  aws: openLocal,
}

/** Loaded when asked for. */
async function openLocal({ config, name, stateDir }: LoadedApp, overrides: PlatformOverrides): Promise<LocalPlatform> {
  const { createLocalPlatform } = await import('@fusionize/local')
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  return createLocalPlatform({ ...config.local, dir: stateDir, app: name, ...given })
}

/**
 * Starts the platform that the configuration names, with nothing deployed.
 * @throws {FusionizeError} `INVALID_CONFIG`, also for an unknown platform
 */
export async function openPlatform(loaded: LoadedApp, overrides: PlatformOverrides = {}): Promise<LocalPlatform> {
  const { platform } = loaded.config
  const names = Object.keys(platforms)
  const open = Object.hasOwn(platforms, platform) ? platforms[platform] : undefined
  if (open) return open(loaded, overrides)
  throw new FusionizeError(
    'INVALID_CONFIG',
    `there is no platform '${platform}'${suggest(platform, names)}; platforms are ${names.join(', ')}`,
  )
}
