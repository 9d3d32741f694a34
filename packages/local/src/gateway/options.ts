import type { DeadLetter, InvokeOptions, InvokeResult, PlatformStatus, RecordsPage } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import type { Payload } from 'fusionize/runtime'

/** An entry: `http: 'POST /readings'` of a task. */
export interface Route {
  method: string
  /** Literal segments, `:name` segments, and `/*` at the end. */
  path: string
  task: string
}

/** What the CLI of another process may ask of the platform. */
export interface Control {
  /** Undefined when nothing is known of it. */
  session(id: string): Promise<object | undefined>
  status(): Promise<PlatformStatus>
  records(since?: string): Promise<RecordsPage>
  logs(since?: string): Promise<{ entries: object[]; next: string }>
  deadLetters(): Promise<DeadLetter[]>
  replay(ids?: string[]): Promise<number>
  /** Fires what waits for more objects. @returns how many firings */
  flush(): Promise<number>
  send(task: string, input: Payload, options: { id?: string }): Promise<{ id: string; session: string }>
}

/** A request that was answered; for logs. */
export interface RequestLog {
  method: string
  /** With the query. */
  path: string
  status: number
  ms: number
  /** Absent when no task was asked. */
  session?: string
}

export interface GatewayOptions {
  /** The entries of the setup that takes new sessions; read again at `refresh`. */
  routes(): Route[]
  /** `signal` is one for all requests of a connection: whoever listens stops listening in the end. */
  invoke(task: string, input: Payload, options: InvokeOptions): Promise<InvokeResult>
  control: Control
  /** @default '127.0.0.1' */
  host?: string | undefined
  /** 0 = any free port. @default 7070 */
  port?: number | undefined
  /** Required in `authorization: Bearer`; must be given when `host` is not loopback. */
  token?: string | undefined
  /** Largest request body in bytes. @default 6291456, what AWS Lambda takes */
  bodyLimit?: number | undefined
  /** Errors of tasks carry their stack. @default false */
  dev?: boolean | undefined
  /** Told of every request that was answered, those for state and logs excepted. */
  onRequest?: ((request: RequestLog) => void) | undefined
}

export const defaults = { host: '127.0.0.1', port: 7070, bodyLimit: 6 * 2 ** 20, dev: false }

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** @throws {FusionizeError} `INVALID_CONFIG`: other machines could call every entry */
export function checkExposure(host: string, token: string | undefined): void {
  if (isLoopback(host) || token) return
  throw new FusionizeError(
    'INVALID_CONFIG',
    `the gateway would listen on ${host}, where other machines can reach it, without a token; set local.token in the configuration, or bind 127.0.0.1`,
  )
}
