import type { Socket } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import { FusionizeError, suggest } from 'fusionize'
import { failure, inputOfRequest, problem, replyTo, traceparentOf } from 'fusionize/http'
import type { Payload } from 'fusionize/runtime'
import type { Context, Hono } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import { readInput } from './body.js'
import type { GatewayOptions, Route } from './options.js'

export type App = Hono<{ Bindings: HttpBindings }>
export type Request = Context<{ Bindings: HttpBindings }>

/** What runs tasks for clients: the gateway's options, and the requests that wait for a task. */
export interface Desk {
  options: GatewayOptions
  bodyLimit: number
  /** Each tells its client that the platform ends. */
  waiting: Set<() => void>
}

/** Serves the entries. A path that has other methods answers 405, any other 404. */
export function serveEntries(app: App, routes: readonly Route[], desk: Desk): void {
  const methods = new TrieRouter<string>()
  for (const { method, path, task } of routes) {
    methods.add('ALL', path, method)
    app.on(method, path, async (c) => {
      const params = c.req.param() as Record<string, string>
      const body = () => readInput(c.env.incoming, desk.bodyLimit)
      const input = await inputOfRequest(method, params, () => c.req.query(), body)
      return input instanceof Response ? input : invoke(c, desk, task, input)
    })
  }
  const known = routes.map((route) => `${route.method} ${route.path}`)
  app.notFound((c) => {
    const { method, path } = c.req
    const allowed = methods.match('ALL', path)[0].map(([allow]) => allow)
    const allow = [...new Set(allowed)].join(', ')
    if (allow !== '') return problem(405, 'METHOD_NOT_ALLOWED', `${path} takes ${allow}, not ${method}`, {}, { allow })
    return problem(404, 'NOT_FOUND', `nothing answers ${method} ${shown(path)}${nearest(method, path, known)}`)
  })
}

/** Longer paths than this are cut in messages, and nobody looks for similar ones. */
const LONGEST_SHOWN = 200
const MOST_LISTED = 20

function shown(path: string): string {
  return path.length > LONGEST_SHOWN ? `${path.slice(0, LONGEST_SHOWN)}…` : path
}

/** All entries when they are few, else the one that was probably meant and the first few. */
function nearest(method: string, path: string, known: string[]): string {
  if (known.length === 0) return '; no task has an http option'
  if (known.length <= MOST_LISTED) return `; entries are ${known.join(', ')}`
  const meant = path.length > LONGEST_SHOWN ? '' : suggest(`${method} ${path}`, known)
  return `${meant}; entries are ${known.slice(0, MOST_LISTED).join(', ')} and ${known.length - MOST_LISTED} more`
}

/** Runs a task for a client; when the client goes away, nobody waits any more. */
export function invoke(c: Request, { options, waiting }: Desk, task: string, input: Payload): Promise<Response> {
  const gone = leavingOf(c.env.incoming.socket)
  const traceparent = traceparentOf(c.req.header('traceparent'))
  const trace: { traceparent?: string } = traceparent === undefined ? {} : { traceparent }
  return new Promise((resolve) => {
    const over = (response: Response) => {
      waiting.delete(stop)
      resolve(response)
    }
    const stop = () => {
      over(failure(new FusionizeError('SHUTTING_DOWN', 'the platform is shutting down'), { connection: 'close' }))
      gone.abort()
    }
    waiting.add(stop)
    options.invoke(task, input, { signal: gone.signal, ...trace }).then(
      (result) => over(replyTo(result, options.dev ?? false, trace)),
      (error) => over(failure(error)),
    )
  })
}

/** One for all requests of a connection, since to make one for each costs a third of what the gateway adds to a request. */
const leaving = new WeakMap<Socket, AbortController>()

function leavingOf(socket: Socket): AbortController {
  const known = leaving.get(socket)
  if (known) return known
  const gone = new AbortController()
  leaving.set(socket, gone)
  if (socket.destroyed) gone.abort()
  else socket.once('close', () => gone.abort())
  return gone
}
