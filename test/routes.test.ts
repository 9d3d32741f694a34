import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocalPlatform } from '@fusionize/local'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import { type App, allFusedSetup, type FusionSetup, remoteSetup, setupId } from 'fusionize/setup'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { localBuilder, outputOf, startLocal, temporaryFolder } from './support/local.js'

describe.each(['threads', 'processes'] as const)('with sandboxes as %s', (isolation) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let builder: ReturnType<typeof localBuilder>
  let local: Awaited<ReturnType<typeof startLocal>>
  let platform: LocalPlatform
  let app: App

  beforeAll(async () => {
    folder = await temporaryFolder()
    const appDir = join(folder.path, 'app')
    await cp(fileURLToPath(new URL('fixtures/routes', import.meta.url)), appDir, { recursive: true })
    builder = localBuilder(appDir, 'routes')
    app = await builder.scan()
    local = await startLocal('routes', { isolation, durability: 'none', maxSandboxes: 12 })
    platform = local.platform
  })
  afterAll(async () => {
    await local.stop()
    await builder.dispose()
    await folder.remove()
  })

  const deploy = async (setup: FusionSetup) => platform.deploy(await builder.build(setup, { OUTSIDE: folder.path }))
  const ask = (does: string, name: string, options = {}) =>
    platform.invoke('outer', JSON.stringify({ does, name }), options)
  const open = (gate: string) => writeFile(join(folder.path, gate), '')
  /** Resolves when a task has noted it. */
  const noted = (text: string) =>
    vi.waitFor(async () => expect((await readFile(join(folder.path, 'notes'), 'utf8')).split('\n')).toContain(text), {
      timeout: 20_000,
      interval: 5,
    })

  describe.each([
    ['inline', allFusedSetup],
    ['remote', remoteSetup],
  ] as const)('and every call %s', (route, setupOf) => {
    beforeAll(async () => {
      await deploy(setupOf(app, 1769))
    })

    test('an error reaches its caller with name, message, code, cause, properties and the stacks of both sides', async () => {
      const name = `ada-${route}`
      const error = outputOf(await ask('catches', name)) as { stack: string }
      expect(error).toMatchObject({
        name: 'Declined',
        message: `${name} has no money`,
        code: 'E_CARD',
        tried: [1, 2],
        cause: 'RangeError: limit',
      })
      expect(error.stack).toMatch(/^Declined: [\s\S]*called by task 'outer'\n +at /)
    })

    test('an error that nobody catches reaches the client unchanged', async () => {
      const name = `bob-${route}`
      const result = await ask('throws', name)
      expect(result).toMatchObject({
        ok: false,
        error: { name: 'Declined', message: `${name} has no money`, code: 'E_CARD', cause: { name: 'RangeError' } },
      })
      expect(result.ok ? '' : result.error.stack).toMatch(/tasks\/inner\.ts:11[\s\S]*called by task 'outer'/)
    })

    test('a callee has the deadline of its caller', async () => {
      const before = Date.now()
      const { own, inner } = outputOf(await ask('tells', 'eve', { timeoutMs: 20_000 })) as {
        own: number
        inner: number
      }
      expect(inner).toBe(own)
      expect(own).toBeGreaterThanOrEqual(before + 20_000)
    })

    test('a task ends at its own limit, and its caller is told which', async () => {
      const name = `limit-${route}`
      expect(outputOf(await ask('limits', name))).toMatchObject({
        name: 'FusionizeError',
        code: 'TIMEOUT',
        message: "task 'limited' did not finish within 60 ms; raise its timeout option or make it faster",
      })
      await noted(`aborted ${name}`)
    })

    test('at the deadline of a request the client is told so, and what hangs far inside is told to stop', async () => {
      const name = `deadline-${route}`
      const result = ask('hangs', name, { timeoutMs: 1500 })
      await noted(`hanging ${name}`)
      expect(await result).toMatchObject({ ok: false, error: { name: 'FusionizeError', code: 'TIMEOUT' } })
      await noted(`aborted ${name}`)
    })

    test('a client that goes away stops what hangs far inside', async () => {
      const name = `cancel-${route}`
      const client = new AbortController()
      const result = ask('hangs', name, { signal: client.signal })
      await noted(`hanging ${name}`)
      client.abort()
      expect(await result).toMatchObject({ ok: false, error: { name: 'FusionizeError', code: 'CANCELLED' } })
      await noted(`aborted ${name}`)
      await platform.drained()
      expect(outputOf(await ask('tells', name))).toBeDefined()
    })

    test('the reply is there while async work waits for something that happens after the reply', async () => {
      const name = `gate-${route}`
      expect(outputOf(await ask('sends', name))).toBe('replied')
      await open(name)
      await platform.drained()
      await noted(`later ${name}`)
    })
  })

  test('sends that wait for a sandbox longer than their task may take run all the same', async () => {
    const one = await startLocal('routes', { isolation, durability: 'none', maxSandboxes: 1, retries: 0 })
    try {
      await one.platform.deploy(await builder.build(remoteSetup(app, 1769), { OUTSIDE: folder.path }))
      const numbers = Array.from({ length: 30 }, (_, n) => n)
      await Promise.all(numbers.map((n) => one.platform.send('brief', JSON.stringify({ n }))))
      await one.platform.drained()
      expect(await one.platform.deadLetters()).toEqual([])
      for (const n of numbers) await noted(`brief ${n}`)
    } finally {
      await one.stop()
    }
  })

  test('a session that waits while two setups are deployed goes on with its own, in calls and sends too', async () => {
    const old = await deploy(remoteSetup(app, 1769))
    const { next } = await platform.records()
    const waiting = ask('waits', 'session', { session: 'old' })
    await noted('at session')
    const newer = await deploy(allFusedSetup(app, 1769))
    expect(outputOf(await ask('tells', 'x', { session: 'new' }))).toBeDefined()
    await deploy(remoteSetup(app, 1536))
    expect((await platform.status()).setups.map((setup) => setup.id)).toContain(old.setup)
    await open('session')
    expect(outputOf(await waiting)).toBe('old')
    await platform.drained()
    const records = (await platform.records(next)).lines.map(parseRecord)
    expect(setupsOf(records)).toEqual({ old: [old.setup], new: [newer.setup] })
    expect(records.filter(({ session }) => session === 'old').map(({ task }) => task)).toEqual(
      expect.arrayContaining(['outer', 'inner', 'later']),
    )
    expect((await platform.status()).setups).toHaveLength(1)
  })

  test('under load every session stays on one setup while five are deployed, the newest for those that begin after it', async () => {
    const { next } = await platform.records()
    const setups = [1536, 1280, 1024, 768, 512].map((memoryMb, i) =>
      i % 2 === 0 ? remoteSetup(app, memoryMb) : allFusedSetup(app, memoryMb),
    )
    /** Sessions that began while this setup was the newest, and no other was on its way. */
    const begunWith = new Map<string, string>()
    let newest: string | undefined
    let sessions = 0
    let replies = 0
    let over = false
    let wake = () => {}
    const clients = Array.from({ length: 6 }, async () => {
      while (!over) {
        const session = `load-${++sessions}`
        if (newest) begunWith.set(session, newest)
        expect(await ask('tells', session, { session })).toMatchObject({ ok: true })
        replies++
        wake()
      }
    })
    const untilReplies = async (count: number) => {
      while (replies < count)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
    for (const setup of setups) {
      await untilReplies(replies + 20)
      newest = undefined
      newest = (await deploy(setup)).setup
    }
    await untilReplies(replies + 20)
    over = true
    await Promise.all(clients)
    await platform.drained()
    const found = setupsOf((await platform.records(next)).lines.map(parseRecord))
    expect(Object.values(found).filter((ids) => ids.length !== 1)).toEqual([])
    expect(Object.keys(found)).toHaveLength(sessions)
    for (const [session, setup] of begunWith) expect([session, found[session]]).toEqual([session, [setup]])
    expect(new Set(begunWith.values())).toEqual(new Set(setups.map(setupId)))
  })
})

/** The setups that each session ran on. */
function setupsOf(records: readonly InvocationRecord[]): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const { session, setup } of records) found[session] = [...new Set([...(found[session] ?? []), setup])]
  return found
}
