import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { InvokeOptions, InvokeResult } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { errorToWire, type Payload } from 'fusionize/runtime'
import { afterEach, describe, expect, it } from 'vitest'
import { type Control, createGateway, type Gateway, type GatewayOptions, type Route } from './index.js'

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

const control: Control = {
  status: async () => ({
    platform: 'local',
    setups: [],
    functions: [],
    sends: { pending: 0, retrying: 0, dead: 0 },
  }),
  records: async (since) => ({ lines: [`since ${since}`], next: '1' }),
  logs: async () => ({ entries: [], next: '0' }),
  deadLetters: async () => [],
  session: async (id) => (id === 'known' ? { running: 1 } : undefined),
  flush: async () => 2,
  replay: async (ids) => ids?.length ?? 99,
  send: async (task, _input, { id }) => ({ id: id ?? `new-${task}`, session: 's' }),
}

async function gateway(invoke: Invoke, more: Partial<GatewayOptions> = {}): Promise<string> {
  const made = await createGateway({
    port: 0,
    routes: () => entries,
    invoke: async (task, input, options) => invoke(task, input, options),
    control,
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
    const [trace, span] = ['a'.repeat(32), 'b'.repeat(16)]
    const valid = [`00-${trace}-${span}-01`, `cc-${trace}-${span}-01-more`]
    const invalid = [
      'nonsense',
      `00-${trace}-${span}-01-more`,
      `ff-${trace}-${span}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
    ]
    for (const traceparent of [...valid, ...invalid]) {
      const reply = await post(`${url}/echo`, '1', undefined, { traceparent })
      expect(reply.headers.get('traceparent')).toBe(valid.includes(traceparent) ? traceparent : null)
    }
    expect(seen).toEqual([...valid, ...invalid.map(() => undefined)])
  })

  it('takes bodies in many pieces, slow ones and large ones, and several requests on one connection', async () => {
    const left: (boolean | undefined)[] = []
    const url = await gateway((task, input, options) => {
      left.push(options.signal?.aborted)
      return echo(task, input, options)
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    const ask = (pieces: (string | Buffer)[]) =>
      new Promise<string>((resolve, reject) => {
        const client = httpRequest(`${url}/echo`, { method: 'POST', agent }, (reply) => {
          text(reply).then(resolve, reject)
        })
        client.on('socket', (socket) => socket.once('connect', () => ports.add(socket.localPort)))
        client.on('error', reject)
        // A piece leaves when the one before was taken, so that the gateway sees them one by one.
        const next = (): unknown => {
          const piece = pieces.shift()
          return piece === undefined ? client.end() : client.write(piece, () => setImmediate(next))
        }
        next()
      })
    expect(await ask(['{"a', '": "', 'ü', '"}'])).toBe('{"a": "ü"}')
    const split = Buffer.from('"ü€😀"')
    expect(await ask([...split].map((byte) => Buffer.from([byte])))).toBe('"ü€😀"')
    const large = JSON.stringify('x'.repeat(5 * 2 ** 20))
    expect(await ask([large.slice(0, 1000), large.slice(1000)])).toBe(large)
    expect(ports.size).toBe(1)
    expect(left).toEqual([false, false, false])
    agent.destroy()
  })

  it('does not run for a client that leaves in the middle of its body', async () => {
    let ran = 0
    const url = await gateway((task, input, options) => {
      ran++
      return echo(task, input, options)
    })
    const client = connect(Number(new URL(url).port), '127.0.0.1')
    client.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n"half')
    await once(client, 'connect')
    expect(await (await post(`${url}/echo`, '1')).text()).toBe('1')
    client.destroy()
    await once(client, 'close')
    expect(await (await post(`${url}/echo`, '2')).text()).toBe('2')
    expect(ran).toBe(2)
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
  it.each([
    ['{"a": 1 x}', 8, `unexpected "x" at position 8`],
    ['{"a": x}', 6, `unexpected "x" at position 6`],
    ['{"a":', 5, 'it ends at position 5'],
  ])('400 for %s, which is not JSON, with the position', async (body, position, message) => {
    const error = await errorOf(await post(`${await gateway(echo)}/echo`, body))
    expect(error).toMatchObject({ status: 400, code: 'MALFORMED_JSON', position })
    expect(error.message).toContain(message)
  })

  it('400 for JSON that is not UTF-8', async () => {
    const url = await gateway(echo)
    expect(await errorOf(await post(`${url}/echo`, new Uint8Array([0x22, 0xff, 0x22])))).toMatchObject({ status: 400 })
    expect((await post(`${url}/echo`, new Uint8Array([0x22, 0xc3, 0xbc, 0x22]))).status).toBe(200)
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

  it('404 that stays short for a long path and many entries', async () => {
    const routes = () => Array.from({ length: 500 }, (_, i) => ({ method: 'GET', path: `/e${i}`, task: 't' }))
    const url = await gateway(echo, { routes })
    const { message } = await errorOf(await fetch(`${url}/${'x'.repeat(8000)}`))
    expect(message.length).toBeLessThan(600)
    expect(message).toContain('480 more')
    expect((await errorOf(await fetch(`${url}/ee251`))).message).toContain(`did you mean 'GET /e251'?`)
  })

  it('405 for a wrong method, with those allowed', async () => {
    const reply = await fetch(`${await gateway(echo)}/items/1`, { method: 'POST' })
    expect(reply.headers.get('allow')).toBe('GET, PUT')
    expect(await errorOf(reply)).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
    const overlapping = () => [...entries, { method: 'POST', path: '/items/:name', task: 'echo' }]
    const all = await fetch(`${await gateway(echo, { routes: overlapping })}/items/1`, { method: 'DELETE' })
    expect(all.headers.get('allow')).toBe('GET, PUT, POST')
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
    expect((await post(`${url}/echo`, '1'.repeat(2e7))).status).toBe(413)
  })

  it('415 for a type that no task takes', async () => {
    const url = await gateway(echo)
    expect(await errorOf(await post(`${url}/echo`, 'a=1', 'text/plain'))).toMatchObject({ status: 415 })
    expect(await errorOf(await post(`${url}/echo`, '1', 'application/json; charset=latin1'))).toMatchObject({
      status: 415,
    })
    expect((await post(`${url}/echo`, '1', 'application/json', { 'content-encoding': 'gzip' })).status).toBe(415)
    for (const type of ['application/json; charset=UTF-8', 'Application/JSON', 'application/problem+json'])
      expect((await post(`${url}/echo`, '1', type)).status).toBe(200)
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
    ['JOURNAL_FAILED', 503],
    ['UNKNOWN_TASK', 404],
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
    const sent = await post(`${url}/send/any`, '1', undefined, own)
    expect([sent.status, await sent.json()]).toEqual([202, { id: 'new-any', session: 's' }])
    const idOf = async (task: string, key: string) => {
      const reply = await post(`${url}/send/${task}`, '1', undefined, { ...own, 'idempotency-key': key })
      return ((await reply.json()) as { id: string }).id
    }
    const ids = [await idOf('any', 'k'), await idOf('any', 'k'), await idOf('other', 'k'), await idOf('any', 'l')]
    expect([new Set(ids).size, ids[0]]).toEqual([3, ids[1]])
    expect(await (await post(`${url}/dead-letters/replay`, '{"ids":["a"]}', undefined, own)).json()).toEqual({
      replayed: 1,
    })
    expect(await (await post(`${url}/dead-letters/replay`, '', undefined, own)).json()).toEqual({ replayed: 99 })
    expect(await (await post(`${url}/flush`, '', undefined, own)).json()).toEqual({ fired: 2 })
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
  })

  it('tells control clients when to come back, and what a journal that fails refused', async () => {
    const refuse = (error: Error) => ({ ...control, send: async () => Promise.reject(error) })
    const send = async (error: Error) =>
      post(`${await gateway(echo, { control: refuse(error) })}/_fusionize/send/any`, '1', undefined, {
        'x-fusionize': '1',
      })
    const full = await send(new FusionizeError('QUEUE_FULL', 'full', { retryAfterMs: 10 }))
    expect([full.status, full.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await errorOf(await send(new FusionizeError('JOURNAL_FAILED', 'no room')))).toMatchObject({
      status: 503,
      message: 'no room',
    })
  })

  it('tells those who still wait that it ends', async () => {
    let arrived = () => {}
    const started = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const aborted: boolean[] = []
    const url = await gateway((_task, _input, { signal }) => {
      arrived()
      signal?.addEventListener('abort', () => aborted.push(true))
      return new Promise<InvokeResult>(() => {})
    })
    const waiting = post(`${url}/echo`, '1')
    await started
    await open.pop()?.close()
    expect(await errorOf(await waiting)).toMatchObject({ status: 503, code: 'SHUTTING_DOWN' })
    expect(aborted).toEqual([true])
    await expect(post(`${url}/echo`, '1')).rejects.toThrow()
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
