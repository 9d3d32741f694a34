import { relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { LocalPlatform } from '@fusionize/local'
import { FusionizeError } from 'fusionize'
import { type App, printSetup } from 'fusionize/setup'
import pc from 'picocolors'
import { currentSetup } from '../../app/current-setup.js'
import { type LoadedApp, loadApp, type Overrides } from '../../app/load-app.js'
import { explain } from '../../terminal/failure.js'
import type { Output } from '../../terminal/output.js'
import { formatMs } from '../../terminal/table.js'

/** What is being served. */
export interface Served {
  app: App
  setup: string
  notation: string
  adopted: boolean
  /** Functions that are not as they were before. */
  changed: string[]
}

/**
 * Builds the application as it is now and puts it into effect for new sessions; those under way finish on what they began with.
 * @throws {BuildError} @throws {FusionizeError} `INVALID_SETUP`
 */
export async function serveNow(loaded: LoadedApp, platform: LocalPlatform, out: Output): Promise<Served> {
  const app = await loaded.scan()
  const { adopted, ignored, setup } = await currentSetup(loaded, app, platform.facts().memoryLadder)
  if (ignored) out.warn(ignored)
  const build = await loaded.builder.build(setup, loaded.config.env)
  const deployed = await platform.deploy(build)
  return { app, setup: deployed.setup, notation: printSetup(setup, app), adopted, changed: deployed.changed }
}

/** Serves the application again whenever files changed; mistakes are shown, and what ran before goes on. */
export function createServer(first: LoadedApp, platform: LocalPlatform, overrides: Overrides, out: Output) {
  let loaded = first
  /** Not said again when the next change leaves it as it is. */
  let mistake = ''

  async function reload(files: readonly string[]): Promise<void> {
    const configured = files.some(
      (file) => loaded.configFiles.includes(file) || /fusionize\.config\.m?[jt]s$/.test(file),
    )
    if (!configured) return
    const next = await loadApp(loaded.dir, overrides)
    if (!isDeepStrictEqual(next.config.local, loaded.config.local))
      out.warn("options of 'local' take effect when 'fusionize dev' is started again")
    await loaded.builder.dispose()
    loaded = next
  }

  return {
    /** What to watch, as far as is known. */
    inputs: () => [...loaded.builder.inputs(), ...loaded.configFiles],
    async changed(files: readonly string[]): Promise<void> {
      const start = performance.now()
      const names = files.map((file) => relative(loaded.dir, file)).join(', ')
      try {
        await reload(files)
        const served = await serveNow(loaded, platform, out)
        mistake = ''
        const what = served.changed.length === 0 ? 'no function changed' : `new: ${served.changed.join(', ')}`
        out.line(`${pc.green('rebuilt')} ${names}  ${pc.dim(`${what}, ${formatMs(performance.now() - start)}`)}`)
      } catch (error) {
        if (!(error instanceof FusionizeError)) throw error
        const { text } = explain(error)
        if (text !== mistake) out.line(`${text}\n${pc.dim('What ran before goes on; correct it and save.')}`)
        mistake = text
      }
    },
  }
}
