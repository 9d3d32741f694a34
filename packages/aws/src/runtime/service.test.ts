import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { service } from './service.js'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serving(answer: RequestListener) {
  server = createServer(answer)
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const env = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'S', AWS_SESSION_TOKEN: 'T' }
  return service('lambda', { ...env, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}/base` })
}
const soon = () => Date.now() + 5000

it('asks by a signed request, on a connection that stays open', async () => {
  const seen: [string | undefined, string | undefined, unknown, unknown][] = []
  const sockets = new Set<unknown>()
  const lambda = await serving((request, response) => {
    sockets.add(request.socket)
    seen.push([request.method, request.url, request.headers.authorization, request.headers['x-amz-security-token']])
    response.end('{"ok":1}')
  })
  for (let i = 0; i < 3; i++) {
    const path = ['2015-03-31', 'functions', 'a:b']
    const { body, status } = await lambda.ask({ method: 'POST', path, query: { Qualifier: 'x y' }, deadline: soon() })
    expect([status, body.toString()]).toEqual([200, '{"ok":1}'])
  }
  expect(sockets.size).toBe(1)
  expect(seen[0]).toEqual([
    'POST',
    '/base/2015-03-31/functions/a%3Ab?Qualifier=x%20y',
    expect.stringContaining('/eu-central-1/lambda/aws4_request'),
    'T',
  ])
})

it.each([429, 500, 503])('asks again when the service answers %d, and then no more', async (status) => {
  let count = 0
  const lambda = await serving((_, response) => {
    response.statusCode = ++count < 3 ? status : 200
    response.end()
  })
  expect((await lambda.ask({ method: 'GET', path: [], deadline: soon() })).status).toBe(200)
  expect(count).toBe(3)
})

it('does not ask again for what will not change', async () => {
  let count = 0
  const lambda = await serving((_, response) => {
    count++
    response.statusCode = 404
    response.end()
  })
  expect((await lambda.ask({ method: 'GET', path: [], deadline: soon() })).status).toBe(404)
  expect(count).toBe(1)
})

it('asks again when a connection breaks', async () => {
  let count = 0
  const lambda = await serving((request, response) => {
    if (++count === 1) request.socket.destroy()
    else response.end('1')
  })
  expect((await lambda.ask({ method: 'GET', path: [], deadline: soon() })).body.toString()).toBe('1')
})

it('gives the last answer when the time is up, and ends a request that has none', async () => {
  const busy = await serving((_, response) => {
    response.statusCode = 429
    response.end()
  })
  expect((await busy.ask({ method: 'GET', path: [], deadline: Date.now() + 300 })).status).toBe(429)
  server?.close()
  let count = 0
  const silenced = await serving((_, response) => {
    if (++count > 1) return
    response.statusCode = 429
    response.end()
  })
  expect((await silenced.ask({ method: 'GET', path: [], deadline: Date.now() + 400 })).status).toBe(429)
  server?.closeAllConnections()
  server?.close()
  const silent = await serving(() => {})
  await expect(silent.ask({ method: 'GET', path: [], deadline: Date.now() + 50 })).rejects.toThrow('no answer in time')
})

it('ends when nobody waits any more', async () => {
  const stop = new AbortController()
  const silent = await serving(() => stop.abort())
  const asked = silent.ask({ method: 'GET', path: [], deadline: soon(), signal: stop.signal })
  await expect(asked).rejects.toThrow('nobody waits')
})
