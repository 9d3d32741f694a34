import type { HttpBindings } from '@hono/node-server'
import type { Payload } from 'fusionize/runtime'
import type { Context, Hono } from 'hono'
import { readInput } from './body.js'
import type { GatewayOptions, Route } from './options.js'
import { problem, replyTo } from './replies.js'

export type App = Hono<{ Bindings: HttpBindings }>
export type Request = Context<{ Bindings: HttpBindings }>

/** Serves the entries. A path that has other methods answers 405, any other 404. */
export function serveEntries(app: App, routes: readonly Route[], options: GatewayOptions, bodyLimit: number): void {
  for (const { method, path, task } of routes)
    app.on(method, path, async (c) => {
      const input = await inputOf(c, method, bodyLimit)
      return input instanceof Response ? input : invoke(c, options, task, input)
    })
  for (const path of new Set(routes.map((route) => route.path))) {
    const allow = routes.filter((route) => route.path === path).map((route) => route.method)
    app.all(path, (c) =>
      problem(
        405,
        'METHOD_NOT_ALLOWED',
        `${c.req.path} takes ${allow.join(', ')}, not ${c.req.method}`,
        {},
        { allow: allow.join(', ') },
      ),
    )
  }
  app.notFound((c) => {
    const known = routes.map((route) => `${route.method} ${route.path}`)
    const list = known.length > 0 ? `entries are ${known.join(', ')}` : 'no task has an http option'
    return problem(404, 'NOT_FOUND', `nothing answers ${c.req.method} ${c.req.path}; ${list}`)
  })
}

/** Runs a task for a client; when the client goes away, nobody waits any more. */
export async function invoke(c: Request, options: GatewayOptions, task: string, input: Payload): Promise<Response> {
  const { outgoing } = c.env
  const gone = new AbortController()
  const onClose = () => {
    if (!outgoing.writableFinished) gone.abort()
  }
  outgoing.once('close', onClose)
  const traceparent = c.req.header('traceparent')
  const valid = traceparent !== undefined && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
  try {
    const result = await options.invoke(task, input, { signal: gone.signal, ...(valid ? { traceparent } : {}) })
    return replyTo(result, options.dev ?? false)
  } finally {
    outgoing.off('close', onClose)
  }
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
