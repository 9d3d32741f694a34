import { createHash, timingSafeEqual } from 'node:crypto'
import { problem } from 'fusionize/http'
import type { MiddlewareHandler } from 'hono'
import { isLoopback } from './options.js'

/** Every request needs the token. */
export function requireToken(token: string): MiddlewareHandler {
  const wanted = digest(`Bearer ${token}`)
  return async (c, next) => {
    const given = c.req.header('authorization')
    if (given !== undefined && timingSafeEqual(digest(given), wanted)) return next()
    const message = 'this gateway needs a token: send it as authorization: Bearer TOKEN'
    return problem(401, 'UNAUTHORIZED', message, {}, { 'www-authenticate': 'Bearer' })
  }
}

/**
 * Keeps web pages in a browser on this machine away from the control endpoints: a page cannot set `x-fusionize` without asking first, and
 * a name that it made point here is not our host.
 */
export function requireOwnClient(host: string, hasToken: boolean): MiddlewareHandler {
  return async (c, next) => {
    const asked = (c.req.header('host') ?? '').replace(/:\d+$/, '')
    if (!isLoopback(asked) && asked !== host && !hasToken)
      return problem(403, 'FORBIDDEN', `control requests must name this host, not ${asked || 'none'}`)
    if (c.req.method !== 'GET' && !hasToken && c.req.header('x-fusionize') === undefined)
      return problem(403, 'FORBIDDEN', 'control requests that change something need the header x-fusionize: 1')
    return next()
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
