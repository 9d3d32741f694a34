import type { Build } from '@fusionize/platform'
import { type CodePackage, packageCode } from '../../src/deploy/zip.js'

/** The zips of a build. */
export async function zipsOf(build: Build): Promise<Record<string, CodePackage>> {
  const all = Object.values(build.artifacts).map(async (artifact) => {
    const code = await packageCode(artifact, { architecture: 'arm64', sourceMaps: false })
    return [artifact.function, code] as const
  })
  return Object.fromEntries(await Promise.all(all))
}
