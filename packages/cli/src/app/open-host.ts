import { atEnd } from '../terminal/lifetime.js'
import type { Output } from '../terminal/output.js'
import { openDeployed } from './deployed-host.js'
import { runningServer } from './dev-file.js'
import { type Host, remoteHost } from './host.js'
import { appDir, loadApp } from './load-app.js'
import { openPlatform } from './open-platform.js'
import { type OwnHost, openOwnHost } from './own-host.js'
import { stateDirOf } from './state-dir.js'

/** Of commands that can ask what is deployed instead of what runs here. */
export const deployedArg = {
  deployed: {
    type: 'boolean',
    default: false,
    description: "Ask what 'fusionize deploy' brought into service, not what runs on this machine",
  },
} as const

/** Whom a command asks. */
export interface OpenedHost {
  host: Host
  /** The application runs in this process: work that is accepted here must be waited for here. */
  own?: OwnHost
}

/** What is deployed, if that is asked for; else the running server; else the application in this process. */
export async function openHost(cwd: string, deployed: boolean, out: Output): Promise<OpenedHost> {
  if (deployed) return { host: await openDeployed(cwd) }
  const server = await runningServer(stateDirOf(appDir(cwd)))
  if (server) return { host: remoteHost(server) }
  const own = await openOwnHost(cwd, out)
  return { host: own.platform, own }
}

/** The same for who only reads, so that nothing needs to be built or deployed here. */
export async function openReadingHost(cwd: string, deployed: boolean): Promise<Host> {
  if (deployed) return openDeployed(cwd)
  const server = await runningServer(stateDirOf(appDir(cwd)))
  if (server) return remoteHost(server)
  const platform = await openPlatform(await loadApp(cwd), { gateway: false })
  atEnd(() => platform.destroy())
  return platform
}
