import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalPlatform } from '@fusionize/local'
import type { Platform } from '@fusionize/platform'
import type { LocalOptions } from 'fusionize'
import type { LoadedApp } from '../app/load-app.js'

export interface OwnPlatform {
  platform: Platform
  /** The application's users are on it: what is adopted goes on to serve there. */
  serves?: true
  /** Ends it and deletes its state, where it is the run's alone; safe to call twice. */
  close(): Promise<void>
}

/**
 * A platform for a run's loads alone: on a port and with a state of its own, so that neither `dev` nor work that a stopped run left behind
 * mixes with the measurement.
 * @param emulate what the run emulates; undefined = nothing
 */
export async function openOwnPlatform(loaded: LoadedApp, emulate: LocalOptions['emulate']): Promise<OwnPlatform> {
  const dir = await mkdtemp(join(tmpdir(), 'fusionize-optimize-'))
  const { emulate: _, ...local } = loaded.config.local
  const platform = await createLocalPlatform({
    ...local,
    ...(emulate === undefined ? {} : { emulate }),
    host: '127.0.0.1',
    port: 0,
    socket: false,
    dir,
    app: loaded.name,
  })
  let closing: Promise<void> | undefined
  const close = async () => {
    await platform.destroy()
    await rm(dir, { recursive: true, force: true })
  }
  return {
    platform,
    close() {
      closing ??= close()
      return closing
    },
  }
}
