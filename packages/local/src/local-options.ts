import { totalmem } from 'node:os'
import { FusionizeError, type LocalOptions, suggest } from 'fusionize'
import type { RequestLog } from './gateway/index.js'

/** `LocalOptions` with what only the one who starts the platform knows. */
export interface LocalPlatformOptions extends LocalOptions {
  /** Folder of the platform's state, usually `.fusionize`; made when it does not exist. */
  dir: string
  app: string
  /** Functions report inputs that they change and values that would not survive the wire. @default false */
  dev?: boolean
  /** Of emulated delays; every deployment draws from the start. @default 1 */
  seed?: number
  /** Serves entries over HTTP. @default true */
  gateway?: boolean
  /** Told of every request that the gateway answered. */
  onRequest?: (request: RequestLog) => void
}

/** Defaults of `LocalOptions`, and of what stands beside them. */
export const defaults = {
  isolation: 'processes',
  durability: 'journal',
  keepAliveMs: 600_000,
  queueLimit: 1000,
  objectMemoryMb: Math.max(16, Math.min(1024, Math.floor(totalmem() / 2 ** 22))),
  objectDiskMb: 8192,
  host: '127.0.0.1',
  port: 7070,
  bodyLimit: 6 * 1024 * 1024,
  timeoutMs: 30_000,
  retries: 2,
  retryDelayMs: 1000,
  sampleCpuEvery: 10,
  dev: false,
  seed: 1,
  gateway: true,
  socket: false as boolean | string,
  spin: false,
} as const

const known = [
  ...Object.keys(defaults),
  'dir',
  'app',
  'emulate',
  'emulatePassing',
  'maxSandboxes',
  'token',
  'onRequest',
]

/**
 * The options with their defaults.
 * @throws {FusionizeError} `INVALID_CONFIG` for an unknown option
 */
export function settingsOf(options: LocalPlatformOptions): LocalPlatformOptions & typeof defaultTypes {
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new FusionizeError(
        'INVALID_CONFIG',
        `the local platform has no option '${name}'${suggest(name, known)}; options are ${known.join(', ')}`,
      )
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...defaults, ...given } as LocalPlatformOptions & typeof defaultTypes
}

declare const defaultTypes: Required<Pick<LocalPlatformOptions, keyof typeof defaults>>
