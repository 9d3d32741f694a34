import type { Build } from '@fusionize/platform'
import { parseRecord } from 'fusionize/record'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buildApp, codeOf, jsonOf, openGates, startPlatform } from './engine-app.js'

let build: Build
let gates: Awaited<ReturnType<typeof openGates>>
const running: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  build = await buildApp({}, { memory: 1769 })
  gates = await openGates()
})
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
})
afterAll(() => gates.close())

async function deployed(options: Parameters<typeof startPlatform>[0]) {
  const started = await startPlatform(options)
  running.push(started)
  await started.platform.deploy(build)
  return started.platform
}

const placements = [
  { isolation: 'processes', spin: false },
  { isolation: 'threads', spin: false },
  { isolation: 'threads', spin: true },
] as const

describe.each(placements)('links between $isolation, spin: $spin', ({ isolation, spin }) => {
  test('a caller that calls again and again gets every answer, and every call runs and is recorded once', async () => {
    const platform = await deployed({ isolation, spin })
    expect(jsonOf(await platform.invoke('loop', '200'))).toBe(200)
    await platform.drained()
    const records = (await platform.records()).lines.map(parseRecord)
    const [loop] = records.filter((record) => record.function === 'loop')
    const calls = records.filter((record) => record.function === 'echo')
    expect(new Set(calls.map((record) => record.invocation)).size).toBe(200)
    expect(calls.length).toBe(200)
    expect(calls.every((record) => record.trace === loop?.trace && record.session === loop?.session)).toBe(true)
    expect((await platform.status()).setups[0]?.sessions).toBe(0)
  })

  test('callers that want the same sandboxes take turns, and no call is lost or runs twice', async () => {
    const platform = await deployed({ isolation, spin, maxSandboxes: 3 })
    const results = await Promise.all(Array.from({ length: 6 }, () => platform.invoke('loop', '150')))
    expect(results.map(jsonOf)).toEqual(Array(6).fill(150))
    const others = await Promise.all(Array.from({ length: 20 }, (_, i) => platform.invoke('echo', String(i))))
    expect(others.map(jsonOf)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    await platform.drained()
    const records = (await platform.records()).lines.map(parseRecord)
    const calls = records.filter((record) => record.function === 'echo')
    expect(calls.length).toBe(6 * 150 + 20)
    expect(new Set(calls.map((record) => record.invocation)).size).toBe(calls.length)
  })

  test('a lent sandbox that crashes fails the call under way, and the next one finds another', async () => {
    const platform = await deployed({ isolation, spin })
    expect(jsonOf(await platform.invoke('until-crash', '12'))).toEqual({ left: 0, code: 'SANDBOX_CRASHED', after: 6 })
    await platform.drained()
  })

  test('a callee that blocks its thread is held to its time limit over a link, too, and its sandbox makes way', async () => {
    const platform = await deployed({ isolation, spin })
    const results = jsonOf(await platform.invoke('block-loop', JSON.stringify([0, 0, 0, 0, 150, -2, 60_000, 1, 0])))
    expect(results).toEqual([0, 0, 0, 0, 150, -2, 'TIMEOUT', 1, 0])
    await platform.drained()
    const records = (await platform.records()).lines.map(parseRecord)
    // All but the one that never came to its end.
    expect(records.filter((record) => record.function === 'blocker').length).toBe(8)
  })

  test('a call over a link whose callee ends its process at once fails, and does not run a second time', async () => {
    const platform = await deployed({ isolation, spin })
    const results = jsonOf(await platform.invoke('block-loop', JSON.stringify([0, 0, 0, 0, -1, 0])))
    expect(results).toEqual([0, 0, 0, 0, 'SANDBOX_CRASHED', 0])
    await platform.drained()
    const printed = (await platform.logs()).entries.filter((entry) => entry.message === 'blocker begins')
    expect(printed.length).toBeLessThanOrEqual(1)
  })

  test('a sandbox that blocks, whose caller died before it could tell of the call, does not stay', async () => {
    const platform = await deployed({ isolation, spin })
    expect(codeOf(await platform.invoke('block-and-die', '{}'))).toBe('SANDBOX_CRASHED')
    const blockers = async () => (await platform.status()).functions.find(({ function: name }) => name === 'blocker')
    expect((await blockers())?.sandboxes).toEqual({ starting: 0, idle: 1, busy: 0 })
    await expect.poll(async () => (await blockers())?.sandboxes.idle, { timeout: 4000 }).toBe(0)
    expect(jsonOf(await platform.invoke('block-loop', '[1]'))).toEqual([1])
  })

  test('a sandbox that blocks, and whose caller was cancelled, does not stay', async () => {
    const platform = await deployed({ isolation, spin, maxSandboxes: 2, queueLimit: 5 })
    const stop = new AbortController()
    const call = platform.invoke('block-loop', JSON.stringify([0, 0, 0, 0, 60_000]), { signal: stop.signal })
    setTimeout(() => stop.abort(), 300)
    expect(codeOf(await call)).toBe('CANCELLED')
    await platform.drained()
    expect(jsonOf(await platform.invoke('block-loop', '[1]'))).toEqual([1])
  })

  test('deadlines and cancellation reach callees over links', async () => {
    const platform = await deployed({ isolation, spin })
    const stop = new AbortController()
    const call = platform.invoke('gate-loop', JSON.stringify(gates.url(`${isolation}-${spin}`)), {
      signal: stop.signal,
    })
    for (let i = 0; i < 3; i++) (await gates.arrival(`${isolation}-${spin}/${i}`)).open('')
    const last = await gates.arrival(`${isolation}-${spin}/3`)
    stop.abort()
    expect(codeOf(await call)).toBe('CANCELLED')
    ;(await gates.arrival(`${isolation}-${spin}/3/aborted`)).open('')
    last.open('')
    await platform.drained()
    const again = platform.invoke('gate-loop', JSON.stringify(gates.url(`${isolation}-${spin}-again`)))
    for (let i = 0; i < 4; i++) (await gates.arrival(`${isolation}-${spin}-again/${i}`)).open('')
    expect(codeOf(await again)).toBe('TIMEOUT')
    await platform.drained()
  })

  test('once the platform is drained, every call over a link is in its records', async () => {
    const platform = await deployed({ isolation, spin })
    await platform.invoke('loop', '20')
    await platform.drained()
    let { next } = await platform.records()
    for (let round = 0; round < 150; round++) {
      await platform.invoke('loop', '3')
      await platform.drained()
      const page = await platform.records(next)
      expect(page.lines).toHaveLength(4)
      next = page.next
    }
  })

  test('a session that ends leaves nothing lent that a new setup has to wait for', async () => {
    const platform = await deployed({ isolation, spin })
    await platform.invoke('loop', '20')
    await platform.drained()
    await platform.deploy(await buildApp({}, { memory: 2048 }))
    expect(jsonOf(await platform.invoke('loop', '20'))).toBe(20)
    await platform.drained()
    const { functions, setups } = await platform.status()
    expect(setups.length).toBe(1)
    expect(functions.every((fn) => fn.setup === setups[0]?.id)).toBe(true)
  })
})
