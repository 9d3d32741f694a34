import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalPlatformOptions } from '@fusionize/local'
import { allFusedSetup } from 'fusionize/setup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { iot } from './support/examples.js'
import { localBuilder, startLocal, temporaryFolder } from './support/local.js'

interface Answer {
  status: number
  error: Record<string, unknown>
  headers: Headers
}

const json = { 'content-type': 'application/json' }
const good = { sensor: 's-7', at: 1 }

async function openIot(options: Partial<LocalPlatformOptions>, env: Record<string, string> = {}) {
  const store = await temporaryFolder()
  const builder = localBuilder(iot.appDir, iot.name)
  const { platform, stop } = await startLocal(iot.name, {
    isolation: 'threads',
    durability: 'none',
    gateway: true,
    ...options,
  })
  const setup = allFusedSetup(await builder.scan(), 1769)
  await mkdir(join(store.path, 'store'))
  await platform.deploy(await builder.build(setup, { ...iot.env(join(store.path, 'store')), ...env }))
  return {
    platform,
    async ask(path: string, init: RequestInit): Promise<Answer> {
      const response = await fetch(`${platform.url}${path}`, init)
      const body = (await response.json()) as { error: Record<string, unknown> }
      return { status: response.status, error: body.error, headers: response.headers }
    },
    post: (body: unknown) =>
      fetch(`${platform.url}/readings`, { method: 'POST', headers: json, body: JSON.stringify(body) }),
    async close() {
      await stop()
      await builder.dispose()
      await store.remove()
    },
  }
}

describe('the gateway of iot', () => {
  let app: Awaited<ReturnType<typeof openIot>>

  beforeAll(async () => {
    app = await openIot({ bodyLimit: 2000 })
  })
  afterAll(() => app.close())

  test('answers a good request', async () => {
    const response = await app.post(good)
    expect([response.status, await response.json()]).toMatchObject([200, { event: 's-7/1', quality: 'good' }])
  })

  test('answers a body that is no JSON with 400 and where it breaks', async () => {
    const { status, error } = await app.ask('/readings', { method: 'POST', headers: json, body: '{"sensor":' })
    expect(status).toBe(400)
    expect(error).toMatchObject({ code: 'MALFORMED_JSON', message: expect.stringMatching(/^the body is not JSON: /) })
    expect(error.position).toBe(10)
  })

  test('answers input that its schema refuses with 400 and the path of every field', async () => {
    const body = JSON.stringify({ sensor: 'seven', at: -1 })
    const { status, error } = await app.ask('/readings', { method: 'POST', headers: json, body })
    expect(status).toBe(400)
    expect(error).toMatchObject({
      code: 'INVALID_INPUT',
      message:
        "the input of task 'analyze-sensor' is not valid at sensor: sensor must be a text like /^s-\\d{1,3}$/ (and 1 more)",
      issues: [{ path: 'sensor' }, { path: 'at', message: 'at must be a whole number from 0 on' }],
    })
  })

  test('answers an unknown path with 404 and the entries that there are', async () => {
    const { status, error } = await app.ask('/reading', { method: 'POST', headers: json, body: '{}' })
    expect(status).toBe(404)
    expect(error).toEqual({
      code: 'NOT_FOUND',
      message: 'nothing answers POST /reading; entries are POST /readings',
    })
  })

  test('answers a wrong method with 405 and the right one', async () => {
    const { status, error, headers } = await app.ask('/readings', { method: 'PUT', headers: json, body: '{}' })
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
    expect(error).toEqual({ code: 'METHOD_NOT_ALLOWED', message: '/readings takes POST, not PUT' })
  })

  test('answers a body beyond the limit with 413 and the limit', async () => {
    const body = JSON.stringify({ sensor: 's'.repeat(3000) })
    const { status, error } = await app.ask('/readings', { method: 'POST', headers: json, body })
    expect(status).toBe(413)
    expect(error).toEqual({
      code: 'PAYLOAD_TOO_LARGE',
      message: 'the body is larger than 2000 bytes; send less, or raise local.bodyLimit',
      limit: 2000,
    })
  })

  test('answers a media type that it cannot read with 415 and those that it can', async () => {
    const headers = { 'content-type': 'text/csv' }
    const { status, error } = await app.ask('/readings', { method: 'POST', headers, body: 's-7,1' })
    expect(status).toBe(415)
    expect(error).toEqual({
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: 'cannot read a body of type text/csv; send application/json or application/octet-stream',
    })
  })

  test('answers an error of the application with 500, its name, code and message, and no stack', async () => {
    const body = JSON.stringify({ sensor: 's-100', at: 1 })
    const { status, error } = await app.ask('/readings', { method: 'POST', headers: json, body })
    expect(status).toBe(500)
    expect(error).toEqual({
      name: 'SensorFault',
      code: 'SENSOR_FAULT',
      message: 's-100 measures -273 °C: replace it',
    })
  })

  test('goes on answering after all of that', async () => {
    expect((await app.post(good)).status).toBe(200)
  })
})

test('a gateway whose queue is full answers 429 and when to come back', async () => {
  const app = await openIot({ maxSandboxes: 1, queueLimit: 2 })
  try {
    // All at once, to one sandbox that has yet to start: some must be refused, none may be lost.
    const responses = await Promise.all(Array.from({ length: 12 }, (_, at) => app.post({ sensor: 's-7', at })))
    const refused = responses.filter((response) => response.status !== 200)
    expect(new Set(responses.map((response) => response.status))).toEqual(new Set([200, 429]))
    for (const response of refused) {
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(await response.json()).toMatchObject({
        error: {
          code: 'QUEUE_FULL',
          message:
            "2 invocations of function 'analyze-sensor' wait already; come back later, or raise queueLimit or maxSandboxes",
          retryAfterMs: expect.any(Number),
        },
      })
    }
    await app.platform.drained()
  } finally {
    await app.close()
  }
})

test('a request that takes longer than its limit is answered 504', async () => {
  // A thousand times its size, check-sensor alone calculates for a second.
  const app = await openIot({ timeoutMs: 200 }, { IOT_SCALE: '1000' })
  try {
    // A sandbox stands before the limit counts: a request that waits for one to start is given that time as well.
    expect((await app.post({ sensor: 'unknown' })).status).toBe(400)
    const response = await app.post(good)
    expect(response.status).toBe(504)
    expect(await response.json()).toEqual({
      error: {
        code: 'TIMEOUT',
        message: "task 'analyze-sensor' did not finish within 200 ms; raise its timeout option or make it faster",
        task: 'analyze-sensor',
        timeoutMs: 200,
      },
    })
  } finally {
    await app.close()
  }
})
