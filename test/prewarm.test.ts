import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { mapsSetup, startMapsApp } from './support/maps-app.js'

const change = { main: { prewarm: { work: 5 } }, work: { prewarm: { helper: 20 } } }

describe.each(['threads', 'processes'] as const)('sandboxes as %s that are started ahead', (isolation) => {
  let app: Awaited<ReturnType<typeof startMapsApp>>
  beforeEach(async () => {
    app = await startMapsApp({ isolation })
    onTestFinished(() => app.stop())
  })

  let requests = 0
  const idle = async (fn: string) =>
    (await app.platform.status()).functions.find((one) => one.function === fn)?.sandboxes.idle ?? 0

  /** A request of `work` that maps over three of `helper` when so many of its sandboxes wait for it. */
  async function request(there: number) {
    const name = `go-${++requests}`
    const steps = [{ meet: `at-${name}`, among: [name] }, { helps: [1201, 1202, 1203] }]
    const reply = app.request('work', { name, steps })
    while ((await idle('helper')) < there) await pause(2)
    app.meet(name)
    expect(await reply).toMatchObject({
      results: [null, [/^2402/, /^2404/, /^2406/].map((n) => expect.stringMatching(n))],
    })
    const records = (await app.records()).filter(({ task }) => task === 'helper')
    return records.map(({ cold, coldKind }) => (cold === null ? 'warm' : coldKind)).sort()
  }

  test('wait for what the request comes to: as many as it was seen to need, in every cold load', async () => {
    await app.deploy(mapsSetup(app.app, change), {}, { forceCold: true })
    expect(await request(1)).toEqual(['forced', 'forced', 'prewarmed'])
    expect(await request(3)).toEqual(['prewarmed', 'prewarmed', 'prewarmed'])
    expect(await request(3)).toEqual(['prewarmed', 'prewarmed', 'prewarmed'])
  })

  test('are none where warm ones wait', async () => {
    await app.deploy(mapsSetup(app.app, change))
    expect((await request(1)).filter((kind) => kind === 'prewarmed')).toHaveLength(1)
    // A start may take longer than what it is for: then the first request was served by fewer.
    await request(3)
    for (let i = 0; i < 2; i++) expect(await request(3)).toEqual(['warm', 'warm', 'warm'])
    await pause(50)
    expect(await idle('helper')).toBe(3)
  })

  test('are those of functions far down, and of the request’s way only', async () => {
    await app.deploy(mapsSetup(app.app, change), {}, { forceCold: true })
    await app.request('main', { items: [] })
    while ((await idle('helper')) < 1 || (await idle('work')) < 1) await pause(2)
    await app.request('frames', { count: 1, bytes: 1 })
    await pause(50)
    expect([await idle('helper'), await idle('work'), await idle('flip')]).toEqual([1, 1, 0])
  })
})
