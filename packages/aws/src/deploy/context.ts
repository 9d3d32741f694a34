import type { Clients } from './clients.js'
import type { Settings } from './settings.js'
import type { Pace } from './wait.js'
import type { CodePackage } from './zip.js'

/** What operations share while a plan is carried out. */
export interface Context {
  clients: Clients
  settings: Settings
  code: Readonly<Record<string, CodePackage>>
  pace: Pace
  /** Versions of the setup, by name of the function: published by this run, or there before. */
  versions: Map<string, string>
  deployed: string
  /** Epoch ms of the last new permission; 0 = none. */
  permittedAt: number
}
