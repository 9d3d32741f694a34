import type { GoalConfig } from './setup/goal.js'
import type { Constraints } from './setup/types.js'

export type { GoalConfig, LatencyBounds, Minimize, Weights } from './setup/goal.js'

/** One request that a load makes: which entry, with what. */
export interface LoadRequest {
  task: string
  input: unknown
}

/** Arrivals of an open-loop load. */
export type LoadProfile =
  /** Evenly spaced arrivals. */
  | { kind: 'steady'; rps: number; seconds: number }
  /** Steps of `everySeconds`, from `from` to `to` requests per second by `step`. */
  | { kind: 'burst'; from: number; to: number; step: number; everySeconds: number }
  /** Every function is forced cold for every request. */
  | { kind: 'cold'; rps: number; seconds: number }

/** Options of the embedded platform. */
/** Figures of data passing: ms until a put or get begins to move data, MB/s of a sandbox with `fullMb` or more and of a node's interface, USD an operation. */
export interface PassingFigures {
  /** When they were measured, year and month. */
  date?: string
  putMs?: number
  getMs?: number
  storeMbPerS?: number
  fullMb?: number
  nicMbPerS?: number
  putUsd?: number
  getUsd?: number
}

export interface LocalOptions {
  /** Sandboxes are processes (isolated, memory and CPU limited) or threads (fast, not limited). @default 'processes' */
  isolation?: 'processes' | 'threads'
  /** Adds the hand-over and start-up delays measured on AWS Lambda. @default off */
  emulate?: 'aws-lambda'
  /**
   * Adds what `passing: direct` and `store` of a setup take elsewhere; without it data goes as every payload does. `true`: with the dated figures of
   * docs/reference/local.md; or with some of your own. @default false
   */
  emulatePassing?: boolean | PassingFigures
  /** How safely accepted sends are kept. @default 'journal' */
  durability?: 'none' | 'journal' | 'fsync'
  /** Ms an idle sandbox is kept. @default 600000 */
  keepAliveMs?: number
  /** Sandboxes at most; absent = as many as three quarters of the machine's memory holds. */
  maxSandboxes?: number
  /** Invocations waiting per function before callers get QUEUE_FULL (429). @default 1000 */
  queueLimit?: number
  /** @default '127.0.0.1' */
  host?: string
  /** 0 = any free port. @default 7070 */
  port?: number
  /** Required in `authorization: Bearer` when `host` is not loopback. */
  token?: string
  /**
   * A unix domain socket for clients of the same user on this machine (`@fusionize/local/client`): several times faster than HTTP. A path, or
   * `true` for `.fusionize/fusionize.sock`. @default off
   */
  socket?: boolean | string
  /**
   * Thread sandboxes wait for messages without parking, for up to a second after the last one; idle CPU is about 0 without it, and after that
   * second. Faster answers where a core is to spare. @default false
   */
  spin?: boolean
  /** Largest request body in bytes. @default 6291456 */
  bodyLimit?: number
  /** Memory for the objects of buckets, MB; beyond it they go to disk. @default 1024, at most a quarter of the machine's */
  objectMemoryMb?: number
  /** Disk for the objects of buckets, MB; beyond it whoever puts waits. @default 8192 */
  objectDiskMb?: number
  /** Time limit of a run whose task sets none, ms; also how long a caller from outside waits for the run to begin. @default 30000 */
  timeoutMs?: number
  /** Runs of a failed async invocation after the first. @default 2 */
  retries?: number
  /** Back-off before the first retry, ms; doubles each time, with jitter. @default 1000 */
  retryDelayMs?: number
  /** One invocation in this many carries CPU time per span. @default 10 */
  sampleCpuEvery?: number
}

/** Options of AWS Lambda; see docs/decisions/040-aws.md. */
export interface AwsOptions {
  /** @default what AWS_REGION or your AWS profile says */
  region?: string
  /** Beginning of every name; at most 35 lower-case letters, digits and dashes. @default `fusionize-<app>` */
  prefix?: string
  /** @default 'arm64': a fifth cheaper */
  architecture?: 'arm64' | 'x86_64'
  /** @default 'nodejs22.x' */
  runtime?: 'nodejs22.x' | 'nodejs24.x'
  /** Days for which logs, and so records, are kept: one of those that CloudWatch offers. @default 14 */
  retentionDays?: number
  /**
   * What a reply leaves behind: `extension` runs it after the reply and holds it in a table until it is done; `before-reply` runs it before.
   * @default 'extension'
   */
  afterReply?: 'extension' | 'before-reply'
  /**
   * Who may call the entries' addresses: those who sign their requests as AWS asks for, or everybody (`NONE`); `off`: they have none, and an API Gateway of
   * your own calls them. @default 'AWS_IAM'
   */
  functionUrlAuth?: 'AWS_IAM' | 'NONE' | 'off'
  /**
   * Entries stream what they answer by their addresses: up to 200 MB instead of 6, and bytes as they are instead of in base64.
   * @default false
   */
  streaming?: boolean
  /** Reserved concurrency by function: never more at a time, and taken from what the account has. @default none */
  concurrency?: Record<string, number>
  /** Time limit of a task that sets none, ms. @default 30000 */
  timeoutMs?: number
  /** One invocation in this many carries CPU time per span. @default 10 */
  sampleCpuEvery?: number
  /** Source maps beside the code: stacks in the words of your source, and longer cold starts. @default false */
  sourceMaps?: boolean
  /** Ms for which a setup that was replaced goes on to serve its sessions. @default 21600000, six hours: as long as Lambda keeps an event */
  keepMs?: number
  /** Of the manager that `fusionize deploy --managed` deploys. */
  manager?: {
    /** Minutes between two runs of it. @default 15 */
    everyMinutes?: number
    /** Strategy that it asks for the next setup. @default 'plan' */
    strategy?: string
    /** Requests of a setup that a decision takes. @default 300 */
    requests?: number
    /** Share of new sessions that a setup on trial gets, above 0 and at most 0.5. @default 0.2 */
    share?: number
  }
}

/** `fusionize.config.ts`. */
export interface Config {
  /** Name of the application. @default the name in package.json */
  app?: string
  /** Folders with task files, relative to the config file. @default ['tasks'] */
  tasks?: string[]
  /** Where the app serves: `fusionize deploy` needs `aws`; `fusionize dev` is local in any case. @default 'local' */
  platform?: 'local' | 'aws'
  local?: LocalOptions
  aws?: AwsOptions
  /** Memory in MB of every function in the first setup. @default 128 */
  memory?: number
  goal?: GoalConfig
  constraints?: Constraints
  /** Environment of every function. */
  env?: Record<string, string>
  load?: {
    /** The `index`-th request of a load; `random` is seeded, so every setup gets the same requests. */
    request: (index: number, random: () => number) => LoadRequest
    /** @default steady: 10 rps for 30 s; burst: 5→40 rps by 5 every 2 s; cold: 1 rps for 20 s */
    profiles?: Partial<Record<'steady' | 'burst' | 'cold', LoadProfile>>
  }
}

/**
 * Types the configuration of an application; give it as the default export of `fusionize.config.ts`.
 * @example export default defineConfig({ app: 'shop', goal: { minimize: 'p95' } })
 */
export function defineConfig(config: Config): Config {
  return config
}
