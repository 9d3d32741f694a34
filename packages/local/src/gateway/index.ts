import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type HttpBindings, serve } from '@hono/node-server'
import { FusionizeError } from 'fusionize'
import { failure } from 'fusionize/http'
import { Hono } from 'hono'
import { serveControl } from './control.js'
import { type App, type Desk, serveEntries } from './entries.js'
import { requireOwnClient, requireToken } from './guard.js'
import { checkExposure, defaults, type GatewayOptions } from './options.js'
import { reportRequests } from './report.js'

export type { Control, GatewayOptions, RequestLog, Route } from './options.js'

export interface Gateway {
  readonly url: string
  /** Reads the routes again: a new setup may have other entries. */
  refresh(): void
  /** Those who wait for a task are told that the platform ends. */
  close(): Promise<void>
}

/** How long clients may take to hear the last replies, ms. */
const GRACE_MS = 500

/**
 * The HTTP face of the local platform: entries by their `http` option, and `/_fusionize/` for the command line.
 * @throws {FusionizeError} `INVALID_CONFIG`: the port is taken, or the host is public and there is no token
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const host = options.host ?? defaults.host
  const port = options.port ?? defaults.port
  checkExposure(host, options.token)
  const desk: Desk = { options, bodyLimit: options.bodyLimit ?? defaults.bodyLimit, waiting: new Set() }
  let app = build(desk, host)
  const server = await listen((request, env) => app.fetch(request, env), host, port)
  const address = server.address() as AddressInfo
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${shown}:${address.port}`,
    refresh() {
      app = build(desk, host)
    },
    close() {
      return new Promise((resolve) => {
        const impatient = setTimeout(() => server.closeAllConnections(), GRACE_MS)
        server.close(() => {
          clearTimeout(impatient)
          resolve()
        })
        for (const stop of desk.waiting) stop()
      })
    },
  }
}

function build(desk: Desk, host: string): App {
  const { options } = desk
  const app: App = new Hono<{ Bindings: HttpBindings }>()
  if (options.onRequest) app.use('*', reportRequests(options.onRequest))
  if (options.token) app.use('*', requireToken(options.token))
  app.use('/_fusionize/*', requireOwnClient(host, options.token !== undefined))
  serveControl(app, desk)
  serveEntries(app, options.routes(), desk)
  app.onError((error) => failure(error))
  return app
}

function listen(
  fetch: (request: Request, env: HttpBindings) => Response | Promise<Response>,
  hostname: string,
  port: number,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: fetch as never, hostname, port }, () => resolve(server as Server))
    server.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new FusionizeError(
              'INVALID_CONFIG',
              `port ${port} on ${hostname} is taken; stop what uses it, or choose another with --port or local.port (0 = any free one)`,
            )
          : error,
      ),
    )
  })
}
