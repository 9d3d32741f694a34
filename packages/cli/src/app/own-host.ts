import type { LocalPlatform } from '@fusionize/local'
import { FusionizeError, suggest } from 'fusionize'
import type { App } from 'fusionize/setup'
import { atEnd } from '../terminal/lifetime.js'
import type { Output } from '../terminal/output.js'
import { currentSetup } from './current-setup.js'
import { type LoadedApp, loadApp } from './load-app.js'
import { openPlatform } from './open-platform.js'
import { pumpLogs } from './pump-logs.js'

export interface OwnHost {
  loaded: LoadedApp
  app: App
  platform: LocalPlatform
  /** Functions that the setup has. */
  functions: string[]
}

/** Runs the application in this process, without HTTP, until the command ends; its functions' logs go where all logs go. */
export async function openOwnHost(cwd: string, out: Output): Promise<OwnHost> {
  const loaded = await loadApp(cwd)
  const app = await loaded.scan()
  const platform = await openPlatform(loaded, { gateway: false, socket: false, dev: true })
  atEnd(() => platform.destroy())
  const logs = pumpLogs(platform, loaded.stateDir, (line) => out.note(line))
  atEnd(() => logs.end())
  const current = await currentSetup(loaded, app, platform.facts().memoryLadder)
  if (current.ignored) out.warn(current.ignored)
  const build = await loaded.builder.build(current.setup, loaded.config.env)
  await platform.deploy(build)
  return { loaded, app, platform, functions: Object.keys(build.artifacts) }
}

/** @throws {FusionizeError} `UNKNOWN_TASK`: there is no such task, or nothing in this setup runs it by itself */
export function requireTask({ app, functions }: Pick<OwnHost, 'app' | 'functions'>, task: string): void {
  const names = Object.keys(app.tasks)
  if (!names.includes(task))
    throw new FusionizeError(
      'UNKNOWN_TASK',
      `there is no task '${task}'${suggest(task, names)}; tasks are ${names.join(', ')}`,
    )
  if (functions.includes(task)) return
  throw new FusionizeError(
    'UNKNOWN_TASK',
    `task '${task}' has no function of its own in this setup: it is no entry, and nothing calls it remotely; give it an http option`,
  )
}
