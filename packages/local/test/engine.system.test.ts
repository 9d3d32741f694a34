import type { Build } from '@fusionize/platform'
import { parseRecord } from 'fusionize/record'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buildApp, codeOf, jsonOf, openGates, startPlatform } from './engine-app.js'

let build: Build
let gates: Awaited<ReturnType<typeof openGates>>
const running: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  build = await buildApp()
  gates = await openGates()
})
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
})
afterAll(() => gates.close())

async function deployed(options: Parameters<typeof startPlatform>[0] = {}, what: Build = build) {
  const started = await startPlatform(options)
  running.push(started)
  await started.platform.deploy(what)
  return started.platform
}

async function recordsOf(platform: Awaited<ReturnType<typeof deployed>>) {
  await platform.drained()
  return (await platform.records()).lines.map(parseRecord)
}

describe.each(['processes', 'threads'] as const)('sandboxes as %s', (isolation) => {
  test('tasks in different sandboxes call each other with JSON and bytes', async () => {
    const platform = await deployed({ isolation })
    const value = { text: 'grüße 🎈', list: [1, null, { deep: true }] }
    const result = await platform.invoke('caller', JSON.stringify(value))
    expect(jsonOf(result)).toEqual({ echoed: value, bytes: [3, 2, 1] })
    const direct = await platform.invoke('bytes', new Uint8Array([7, 8]))
    expect(direct).toMatchObject({ ok: true, output: new Uint8Array([8, 7]) })
  })

  test('payloads of several megabytes arrive unchanged', async () => {
    const platform = await deployed({ isolation })
    const text = JSON.stringify('é'.repeat(1_500_000))
    const echoed = await platform.invoke('echo', text)
    expect(echoed.ok && echoed.output === text).toBe(true)
    const bytes = new Uint8Array(3_000_000).map((_, i) => i % 251)
    const reversed = await platform.invoke('bytes', bytes)
    expect(reversed.ok && Buffer.compare(reversed.output as Uint8Array, bytes.toReversed())).toBe(0)
  })

  test('a sandbox is used again while it is warm, and its start is reported once', async () => {
    const platform = await deployed({ isolation })
    for (let i = 0; i < 5; i++) await platform.invoke('echo', String(i))
    const records = await recordsOf(platform)
    expect(new Set(records.map((record) => record.sandbox)).size).toBe(1)
    expect(records.map((record) => record.cold !== null)).toEqual([true, false, false, false, false])
    expect(records[0]?.cold).toBeGreaterThan(5)
    expect(records[0]?.coldKind).toBe('natural')
  })

  test('every invocation of a deployment that is forced cold has a sandbox of its own', async () => {
    const started = await startPlatform({ isolation })
    running.push(started)
    await started.platform.deploy(build, { forceCold: true })
    for (let i = 0; i < 3; i++) await started.platform.invoke('echo', String(i))
    const records = await recordsOf(started.platform)
    expect(new Set(records.map((record) => record.sandbox)).size).toBe(3)
    expect(records.every((record) => record.coldKind === 'forced' && (record.cold ?? 0) > 5)).toBe(true)
  })

  test('a sandbox takes one request at a time, and more when its setup says so', async () => {
    const together = await buildApp({ gate: { concurrency: 2 } })
    const sandboxes = async (what: Build) => {
      const platform = await deployed({ isolation }, what)
      const calls = ['x', 'y'].map((name) => platform.invoke('gate', JSON.stringify(gates.url(name))))
      const [x, y] = await Promise.all([gates.arrival('x'), gates.arrival('y')])
      x.open('')
      y.open('')
      await Promise.all(calls)
      return new Set((await recordsOf(platform)).map((record) => record.sandbox)).size
    }
    expect(await sandboxes(build)).toBe(2)
    expect(await sandboxes(together)).toBe(1)
  })

  test.each([
    ['exit', 'SANDBOX_CRASHED', /exit code 3/],
    ['rejection', 'SANDBOX_CRASHED', /promise was rejected.*TypeError: nobody awaits me/],
    ['exception', 'SANDBOX_CRASHED', /nothing caught.*TypeError: nobody catches me/],
    ['memory', 'OUT_OF_MEMORY', /'failing' used more than its 256 MB/],
  ])('a sandbox that fails by %s gives its caller a typed error and harms nobody else', async (way, code, message) => {
    const platform = await deployed({ isolation })
    const other = platform.invoke('gate', JSON.stringify(gates.url('beside')))
    const gate = await gates.arrival('beside')
    const result = await platform.invoke('failing', JSON.stringify(way))
    expect(codeOf(result)).toBe(code)
    expect(!result.ok && result.error.message).toMatch(message)
    gate.open('unharmed')
    expect(jsonOf(await other)).toMatchObject({ said: 'unharmed' })
    expect(codeOf(await platform.invoke('failing', '"throw"'))).toBe('RangeError')
  })

  test('a task that exceeds its time gives TIMEOUT, and its sandbox ends when it does not stop', async () => {
    const platform = await deployed({ isolation })
    const result = await platform.invoke('stubborn', undefined)
    expect(codeOf(result)).toBe('TIMEOUT')
    expect(!result.ok && result.error.message).toMatch(/'stubborn' did not finish within 300 ms/)
    await platform.drained()
    expect((await platform.status()).functions.find((fn) => fn.function === 'stubborn')?.sandboxes.busy).toBe(0)
  })

  test('a caller that gives up cancels the tasks that work for it in other sandboxes', async () => {
    const platform = await deployed({ isolation })
    const giveUp = new AbortController()
    const call = platform.invoke('gated', JSON.stringify(gates.url('given-up')), { signal: giveUp.signal })
    const gate = await gates.arrival('given-up')
    giveUp.abort()
    expect(codeOf(await call)).toBe('CANCELLED')
    const aborted = await gates.arrival('given-up/aborted')
    aborted.open('')
    gate.open('')
    await platform.drained()
  })

  test('calls in a cycle end, though fewer sandboxes are allowed than callers that wait', async () => {
    const platform = await deployed({ isolation, maxSandboxes: 1 })
    expect(jsonOf(await platform.invoke('ping', '6'))).toBe(6)
    const several = await Promise.all([3, 4, 5].map((depth) => platform.invoke('ping', String(depth))))
    expect(several.map(jsonOf)).toEqual([3, 4, 5])
  })

  test('a wide fan-out ends with few sandboxes', async () => {
    const platform = await deployed({ isolation, maxSandboxes: 2 })
    expect(jsonOf(await platform.invoke('fan', '40'))).toEqual(Array.from({ length: 40 }, (_, i) => i))
  })

  test('what functions print is in the log under their name', async () => {
    const started = await startPlatform({ isolation })
    running.push(started)
    await started.platform.deploy(build)
    await started.platform.invoke('noting', JSON.stringify(`${started.dir}/notes`))
    await started.platform.drained()
    const { entries } = await started.platform.logs()
    expect(entries).toContainEqual(
      expect.objectContaining({ function: 'noting', message: 'told note', stream: 'stdout' }),
    )
  })
})

test('calls deeper than the ceiling of sandboxes fail instead of waiting for each other', async () => {
  const platform = await deployed({ isolation: 'threads', maxSandboxes: 1 })
  const result = await platform.invoke('ping', '60')
  expect(codeOf(result)).toBe('QUEUE_FULL')
  expect(!result.ok && result.error.message).toMatch(/sandboxes wait for calls of their own/)
  expect(jsonOf(await platform.invoke('ping', '2'))).toBe(2)
})

test('callers past the queue limit are refused and told when to come back', async () => {
  const platform = await deployed({ maxSandboxes: 1, queueLimit: 2 })
  const calls = Array.from({ length: 3 }, () => platform.invoke('gate', JSON.stringify(gates.url('full'))))
  const first = await gates.arrival('full')
  const fourth = await platform.invoke('gate', JSON.stringify(gates.url('full')))
  expect(codeOf(fourth)).toBe('QUEUE_FULL')
  expect(!fourth.ok && JSON.parse(fourth.error.props as string).details.retryAfterMs).toBeGreaterThan(0)
  first.open('')
  for (let i = 0; i < 2; i++) (await gates.arrival('full')).open('')
  expect((await Promise.all(calls)).map(codeOf)).toEqual(['ok', 'ok', 'ok'])
})

test('a function that does not load says why, and is not started again at once', async () => {
  const platform = await deployed({}, await buildApp({}, { tasks: 'broken' }))
  const results = await Promise.all([1, 2, 3].map(() => platform.invoke('lost', undefined)))
  results.push(await platform.invoke('lost', undefined))
  for (const result of results) {
    expect(codeOf(result)).toBe('SANDBOX_CRASHED')
    expect(!result.ok && result.error.message).toMatch(/'lost' cannot start: SyntaxError: this module does not load/)
  }
  const starts = (await platform.logs()).entries.filter((entry) => /^SyntaxError/.test(entry.message))
  expect(starts.length).toBeLessThanOrEqual(3)
})

test('new sessions take the new setup while a session under way ends on the one it began with', async () => {
  const platform = await deployed()
  const old = (await platform.status()).setups[0]?.id
  const call = platform.invoke('gated', JSON.stringify(gates.url('old')))
  const gate = await gates.arrival('old')
  const next = await platform.deploy(await buildApp({}, { memory: 512 }))
  expect(next.changed).toContain('gate')
  const fresh = platform.invoke('gated', JSON.stringify(gates.url('new')))
  ;(await gates.arrival('new')).open('new')
  expect(jsonOf(await fresh)).toMatchObject({ said: 'new' })
  expect((await platform.status()).setups).toEqual([
    { id: next.setup, weight: 1, sessions: 0 },
    { id: old, weight: 0, sessions: 1 },
  ])
  gate.open('old')
  expect(jsonOf(await call)).toMatchObject({ said: 'old' })
  const records = await recordsOf(platform)
  expect(records.map((record) => `${record.function} ${record.setup}`).sort()).toEqual(
    [`gate ${old}`, `gated ${old}`, `gate ${next.setup}`, `gated ${next.setup}`].sort(),
  )
  const status = await platform.status()
  expect(status.setups.map((setup) => setup.id)).toEqual([next.setup])
  expect(status.functions.every((fn) => fn.setup === next.setup)).toBe(true)
})

test('sessions are shared between setups by weight, and the same session always takes the same', async () => {
  const platform = await deployed({ isolation: 'threads' })
  const a = (await platform.status()).setups[0]?.id as string
  const { setup: b } = await platform.deploy(await buildApp({}, { memory: 512 }))
  await platform.traffic({ [a]: 3, [b]: 1 })
  const ids = Array.from({ length: 200 }, (_, i) => `session-${i}`)
  for (const session of [...ids, ...ids]) await platform.invoke('echo', '1', { session })
  const records = await recordsOf(platform)
  const share = records.filter((record) => record.setup === a).length / records.length
  expect(share).toBeGreaterThan(0.65)
  expect(share).toBeLessThan(0.85)
  expect(new Set(records.map((record) => `${record.session} ${record.setup}`)).size).toBe(200)
  await expect(platform.traffic({ unknown: 1 })).rejects.toThrow(/unknown is not deployed/)
})

test('deploying the same build again changes nothing', async () => {
  const platform = await deployed()
  await platform.invoke('echo', '1')
  const { changed } = await platform.deploy(build)
  await platform.invoke('echo', '1')
  expect(changed).toEqual([])
  expect(new Set((await recordsOf(platform)).map((record) => record.sandbox)).size).toBe(1)
})

test('stacks of errors and logs name the files and lines that the user wrote', async () => {
  const platform = await deployed()
  const thrown = await platform.invoke('failing', '"throw"')
  expect(!thrown.ok && thrown.error.stack).toMatch(/at .*fixtures\/engine\/tasks\/failing\.ts:8:\d+/)
  await platform.invoke('failing', '"exception"')
  const crashed = await platform.invoke('failing', '"exception"')
  expect(!crashed.ok && crashed.error.cause?.stack).toMatch(/tasks\/failing\.ts:12:\d+/)
})
