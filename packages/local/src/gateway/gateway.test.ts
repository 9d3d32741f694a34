import { request as httpRequest } from 'node:http'
import type { InvokeOptions, InvokeResult } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { errorToWire, type Payload } from 'fusionize/runtime'
import { afterEach, describe, expect, it } from 'vitest'
import { createGateway, type Gateway, type GatewayOptions, type Route } from './index.js'

let open: Gateway[] = []
afterEach(async () => {
  await Promise.all(open.map((gateway) => gateway.close()))
  open = []
})

type Invoke = (task: string, input: Payload, options: InvokeOptions) => Promise<InvokeResult> | InvokeResult

const entries: Route[] = [
  { method: 'POST', path: '/echo', task: 'echo' },
  { method: 'GET', path: '/items/:id', task: 'item' },
  { method: 'PUT', path: '/items/:id', task: 'put-item' },
]

async function gateway(invoke: Invoke, more: Partial<GatewayOptions> = {}): Promise<string> {
  const made = await createGateway({
    port: 0,
    routes: () => entries,
    invoke: async (task, input, options) => invoke(task, input, options),
    control: {
      status: async () => ({
        platform: 'local',
        setups: [],
        functions: [],
        sends: { pending: 0, retrying: 0, dead: 0 },
      }),
      records: async (since) => ({ lines: [`since ${since}`], next: '1' }),
      logs: async () => ({ entries: [], next: '0' }),
      deadLetters: async () => [],
      replay: async (ids) => ids?.length ?? 99,
      send: async (task, _input, { id }) => ({ id: id ?? `new-${task}`, session: 's' }),
    },
    ...more,
  })
  open.push(made)
  return made.url
}

const echo: Invoke = (_task, input) => ({ ok: true, output: input, session: 's1' })
const fails =
  (error: unknown): Invoke =>
  () => ({ ok: false, error: errorToWire(error), session: 's1' })
const post = (url: string, body: string | Uint8Array<ArrayBuffer>, type = 'application/json', headers = {}) =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': type, ...headers } })

async function errorOf(
  reply: Response,
): Promise<{ status: number; code: string; message: string; [k: string]: unknown }> {
  const { error } = (await reply.json()) as { error: { code: string; message: string } }
  return { status: reply.status, ...error }
}

describe('an entry', () => {
  it('gets JSON as it came and answers with the session', async () => {
    const url = await gateway(echo)
    const reply = await post(`${url}/echo`, '{"a": 1.0}')
    expect([reply.status, reply.headers.get('x-fusionize-session')]).toEqual([200, 's1'])
    expect(await reply.text()).toBe('{"a": 1.0}')
  })

  it('gets and gives bytes, and 204 for nothing', async () => {
    const url = await gateway(echo)
    const reply = await post(`${url}/echo`, new Uint8Array([0, 255]), 'application/octet-stream')
    expect(reply.headers.get('content-type')).toBe('application/octet-stream')
    expect(new Uint8Array(await reply.arrayBuffer())).toEqual(new Uint8Array([0, 255]))
    expect((await post(`${url}/echo`, '')).status).toBe(204)
  })

  it('gets query and path parameters; a body that is an object gets the path’s', async () => {
    const url = await gateway(echo)
    expect(await (await fetch(`${url}/items/7?full=yes`)).json()).toEqual({ full: 'yes', id: '7' })
    const put = await fetch(`${url}/items/7`, {
      method: 'PUT',
      body: '{"n":1}',
      headers: { 'content-type': 'application/json' },
    })
    expect(await put.json()).toEqual({ n: 1, id: '7' })
  })

  it('passes a valid traceparent on, and no other', async () => {
    const seen: (string | undefined)[] = []
    const url = await gateway((task, input, options) => {
      seen.push(options.traceparent)
      return echo(task, input, options) as InvokeResult
    })
    const valid = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    for (const traceparent of [valid, 'nonsense']) await post(`${url}/echo`, '1', undefined, { traceparent })
    expect(seen).toEqual([valid, undefined])
  })

  it('aborts its signal when the client goes away', async () => {
    let arrived = () => {}
    const started = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const aborted = new Promise<void>((resolve) => {
      void gateway((_task, _input, { signal }) => {
        arrived()
        return new Promise<InvokeResult>((done) =>
          signal?.addEventListener('abort', () => {
            resolve()
            done({ ok: true, output: undefined, session: 's' })
          }),
        )
      }).then((url) => {
        const client = httpRequest(`${url}/echo`, { method: 'POST' })
        client.on('error', () => {})
        client.end('1')
        void started.then(() => client.destroy())
      })
    })
    await aborted
  })
})

describe('a bad request gets one clear message:', () => {
  it('400 for a body that is not JSON, with the position where the parser knows it', async () => {
    const error = await errorOf(await post(`${await gateway(echo)}/echo`, '{"a": 1 x}'))
    expect(error).toMatchObject({ status: 400, code: 'MALFORMED_JSON', position: 8 })
  })

  it('400 for an input that the schema refuses, with the path of the field', async () => {
    const refusal = new FusionizeError('INVALID_INPUT', 'not valid at n', {
      issues: [{ path: 'n', message: 'a number' }],
    })
    const error = await errorOf(await post(`${await gateway(fails(refusal))}/echo`, '1'))
    expect(error).toMatchObject({ status: 400, code: 'INVALID_INPUT', issues: [{ path: 'n', message: 'a number' }] })
  })

  it('404 for an unknown path, with what there is', async () => {
    const error = await errorOf(await fetch(`${await gateway(echo)}/nothing`))
    expect(error).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    expect(error.message).toContain('POST /echo')
  })

  it('405 for a wrong method, with those allowed', async () => {
    const reply = await fetch(`${await gateway(echo)}/items/1`, { method: 'POST' })
    expect(reply.headers.get('allow')).toBe('GET, PUT')
    expect(await errorOf(reply)).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
  })

  it('413 for a body that is too large, announced or chunked', async () => {
    const url = await gateway(echo, { bodyLimit: 10 })
    expect(await errorOf(await post(`${url}/echo`, '"12345678901"'))).toMatchObject({ status: 413, limit: 10 })
    const status = await new Promise((resolve, reject) => {
      const client = httpRequest(
        `${url}/echo`,
        { method: 'POST', headers: { 'transfer-encoding': 'chunked' } },
        (reply) => {
          resolve(reply.statusCode)
          client.destroy()
        },
      )
      client.on('error', reject)
      client.write('"123456')
      client.write('78901"')
    })
    expect(status).toBe(413)
    expect((await post(`${url}/echo`, '12345678')).status).toBe(200)
  })

  it('415 for a type that no task takes', async () => {
    expect(await errorOf(await post(`${await gateway(echo)}/echo`, 'a=1', 'text/plain'))).toMatchObject({ status: 415 })
  })

  it('429 with Retry-After for a full queue', async () => {
    const reply = await post(
      `${await gateway(fails(new FusionizeError('QUEUE_FULL', 'full', { retryAfterMs: 1200 })))}/echo`,
      '1',
    )
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '2'])
  })

  it.each([
    ['TIMEOUT', 504],
    ['SANDBOX_CRASHED', 502],
    ['OUT_OF_MEMORY', 502],
    ['SHUTTING_DOWN', 503],
    ['PAYLOAD_TOO_LARGE', 413],
  ] as const)('%s becomes %i', async (code, status) => {
    expect((await post(`${await gateway(fails(new FusionizeError(code, 'x')))}/echo`, '1')).status).toBe(status)
  })

  it('500 for an error of the task, its stack only in development', async () => {
    const bug = Object.assign(new RangeError('too far'), { code: 'E_FAR' })
    const error = await errorOf(await post(`${await gateway(fails(bug))}/echo`, '1'))
    expect(error).toEqual({ status: 500, code: 'E_FAR', name: 'RangeError', message: 'too far' })
    expect(await errorOf(await post(`${await gateway(fails(bug), { dev: true })}/echo`, '1'))).toHaveProperty('stack')
  })
})

describe('the gateway', () => {
  it('refuses a host that others can reach without a token', async () => {
    await expect(gateway(echo, { host: '0.0.0.0' })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  })

  it('asks for the token when it has one', async () => {
    const url = await gateway(echo, { token: 'secret' })
    expect(await errorOf(await post(`${url}/echo`, '1'))).toMatchObject({ status: 401 })
    expect((await post(`${url}/echo`, '1', undefined, { authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await post(`${url}/echo`, '1', undefined, { authorization: 'Bearer secret' })).status).toBe(200)
  })

  it('says what to do when the port is taken', async () => {
    const url = await gateway(echo)
    await expect(gateway(echo, { port: Number(new URL(url).port) })).rejects.toThrow(/is taken; stop what uses it/)
  })

  it('serves control requests of its own kind of client only', async () => {
    const url = `${await gateway(echo)}/_fusionize`
    expect(await (await fetch(`${url}/records?since=5`)).json()).toEqual({ lines: ['since 5'], next: '1' })
    expect((await post(`${url}/invoke/any`, '1')).status).toBe(403)
    const own = { 'x-fusionize': '1' }
    expect(await (await post(`${url}/invoke/any`, '1', undefined, own)).text()).toBe('1')
    const sent = await post(`${url}/send/any`, '1', undefined, { ...own, 'idempotency-key': 'k' })
    expect([sent.status, await sent.json()]).toEqual([202, { id: 'k', session: 's' }])
    expect(await (await post(`${url}/dead-letters/replay`, '{"ids":["a"]}', undefined, own)).json()).toEqual({
      replayed: 1,
    })
    expect(await (await post(`${url}/dead-letters/replay`, '', undefined, own)).json()).toEqual({ replayed: 99 })
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
  })

  it('does not answer control requests that came by a foreign name', async () => {
    const url = new URL(await gateway(echo))
    const status = await new Promise((resolve) => {
      httpRequest(
        { port: url.port, host: '127.0.0.1', path: '/_fusionize/status', headers: { host: 'evil.example' } },
        (r) => {
          r.resume()
          resolve(r.statusCode)
        },
      ).end()
    })
    expect(status).toBe(403)
  })
})
