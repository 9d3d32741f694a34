import type { MiddlewareHandler } from 'hono'
import type { RequestLog } from './options.js'

/** Tells of every request that runs a task, or that nothing answers; those of the command line for state and logs are no news. */
export function reportRequests(tell: (request: RequestLog) => void): MiddlewareHandler {
  return async (c, next) => {
    const start = performance.now()
    await next()
    const { pathname, search } = new URL(c.req.url)
    if (pathname.startsWith('/_fusionize/') && !/^\/_fusionize\/(invoke|send)\//.test(pathname)) return
    const session = c.res.headers.get('x-fusionize-session')
    tell({
      method: c.req.method,
      path: pathname + search,
      status: c.res.status,
      ms: performance.now() - start,
      ...(session === null ? {} : { session }),
    })
  }
}
