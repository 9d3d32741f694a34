import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { Build } from '@fusionize/platform'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect } from '../src/client/index.js'
import type { LocalPlatform } from '../src/index.js'
import { buildApp, codeOf, jsonOf, openGates, startPlatform } from './engine-app.js'

let build: Build
let gates: Awaited<ReturnType<typeof openGates>>
const running: { stop(): Promise<void> }[] = []
const clients: Client[] = []

beforeAll(async () => {
  build = await buildApp()
  gates = await openGates()
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  for (const one of running.splice(0)) await one.stop()
})
afterAll(() => gates.close())

async function served(options: Parameters<typeof startPlatform>[0] = {}) {
  const started = await startPlatform({ socket: true, ...options })
  running.push(started)
  await started.platform.deploy(build)
  return { ...started, client: await clientOf(started.platform) }
}

async function clientOf(platform: LocalPlatform): Promise<Client> {
  const client = await connect(String(platform.socket))
  clients.push(client)
  return client
}

describe.each(['threads', 'processes'] as const)('over the socket, with %s', (isolation) => {
  test('tasks give JSON and bytes, their errors, and records with the session', async () => {
    const { client, platform } = await served({ isolation })
    expect(jsonOf(await client.invoke('echo', '{"a":[1,"ü"]}', { session: 's-1' }))).toEqual({ a: [1, 'ü'] })
    const all = await Promise.all(Array.from({ length: 200 }, (_, i) => client.invoke('echo', String(i))))
    expect(all.map(jsonOf)).toEqual(all.map((_, i) => i))
    expect(await client.invoke('bytes', new Uint8Array([1, 2, 3]))).toMatchObject({ ok: true })
    const failed = await client.invoke('failing', '"throw"')
    expect(failed).toMatchObject({ ok: false, error: { name: 'RangeError', message: 'out of range' } })
    // In lines of the source, as in every answer of the platform.
    expect(failed.ok ? '' : failed.error.stack).toContain('failing.ts')
    expect(codeOf(await client.invoke('nothing', undefined))).toBe('UNKNOWN_TASK')
    await platform.drained()
    const { lines } = await platform.records()
    expect(lines).toHaveLength(203)
    expect(lines[0]).toContain('"session":"s-1"')
  })

  test('callers get QUEUE_FULL when too many wait, and the others their answers', async () => {
    const { client } = await served({ isolation, maxSandboxes: 1, queueLimit: 1 })
    const first = gates.arrival('full-1')
    const running = client.invoke('gate', JSON.stringify(gates.url('full-1')))
    const gate = await first
    const second = gates.arrival('full-2')
    const waiting = client.invoke('gate', JSON.stringify(gates.url('full-2')))
    const refused = await client.invoke('gate', JSON.stringify(gates.url('full-3')))
    expect(refused).toMatchObject({ ok: false, error: { code: 'QUEUE_FULL' } })
    gate.open('1')
    ;(await second).open('2')
    expect([jsonOf(await running), jsonOf(await waiting)]).toMatchObject([{ said: '1' }, { said: '2' }])
  })

  test('a client that goes away cancels what runs for it', async () => {
    const { client, platform } = await served({ isolation })
    const arrival = gates.arrival('left')
    const aborted = gates.arrival('left/aborted')
    const call = client.invoke('gate', JSON.stringify(gates.url('left')))
    const gate = await arrival
    await client.close()
    ;(await aborted).open('')
    gate.open('too late')
    expect(codeOf(await call)).toBe('SHUTTING_DOWN')
    await platform.drained()
    const other = await clientOf(platform)
    expect(jsonOf(await other.invoke('echo', '1'))).toBe(1)
  })

  test('those who wait are told when the platform ends, and the socket is gone', async () => {
    const { client, platform } = await served({ isolation })
    const arrival = gates.arrival('end')
    const call = client.invoke('gate', JSON.stringify(gates.url('end')))
    await arrival
    await platform.destroy()
    expect(codeOf(await call)).toBe('SHUTTING_DOWN')
    expect(existsSync(String(platform.socket))).toBe(false)
  })
})

test('without the option there is no socket; with it only its user can open it, and no second platform takes it', async () => {
  const { platform: without } = await startPlatform().then((started) => {
    running.push(started)
    return started
  })
  expect(without.socket).toBeUndefined()
  const { dir, platform } = await served()
  expect(platform.socket).toBe(join(dir, 'fusionize.sock'))
  expect(lstatSync(String(platform.socket)).mode & 0o777).toBe(0o600)
  const second = startPlatform({ socket: String(platform.socket) })
  await expect(second).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: /another platform listens there/ })
})
