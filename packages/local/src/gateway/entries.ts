import type { Socket } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import { FusionizeError, suggest } from 'fusionize'
import type { Payload } from 'fusionize/runtime'
import type { Context, Hono } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import { readInput } from './body.js'
import type { GatewayOptions, Route } from './options.js'
import { failure, problem, replyTo } from './replies.js'

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
      const input = await inputOf(c, method, desk.bodyLimit)
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
  const traceparent = traceOf(c.req.header('traceparent'))
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

/** W3C Trace Context, §3.2.2 and §4: another version may say more behind, all zeros are no id. */
const traceShape = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=$|-)/

function traceOf(header: string | undefined): string | undefined {
  if (header === undefined || !traceShape.test(header)) return undefined
  return header.startsWith('00') && header.length !== 55 ? undefined : header
}

/**
 * GET and DELETE: an object of the query and the path's parameters, all strings. Other methods: the body; the path's parameters are
 * added to a body that is a JSON object, and are the input where there is no body.
 */
async function inputOf(c: Request, method: string, bodyLimit: number): Promise<Payload | Response> {
  const params = c.req.param() as Record<string, string>
  if (method === 'GET' || method === 'DELETE') return JSON.stringify({ ...c.req.query(), ...params })
  const input = await readInput(c.env.incoming, bodyLimit)
  if (input instanceof Response || Object.keys(params).length === 0) return input
  if (input === undefined) return JSON.stringify(params)
  if (typeof input !== 'string' || !input.trimStart().startsWith('{')) return input
  return JSON.stringify({ ...JSON.parse(input), ...params })
}
