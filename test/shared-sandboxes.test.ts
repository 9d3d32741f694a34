import { encode } from 'fusionize/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Item, mapsSetup, type Step, startMapsApp, type Told } from './support/maps-app.js'

const shared = { work: { concurrency: 8 } }
const onThreads = { work: { concurrency: 8, parallel: 'threads' as const } }

describe.each(['threads', 'processes'] as const)(
  'sandboxes as %s that take several invocations at a time',
  (isolation) => {
    let app: Awaited<ReturnType<typeof startMapsApp>>
    beforeAll(async () => {
      app = await startMapsApp({ isolation, sampleCpuEvery: 1 })
    })
    afterAll(() => app.stop())

    const ask = (names: string[], ...steps: Step[]) =>
      Promise.all(
        names.map((name) => app.request('work', { name, steps: [...steps] }, { session: `of-${name}` })),
      ) as Promise<Told[]>

    test('take them from any request, start once, and keep them apart', async () => {
      await app.deploy(mapsSetup(app.app, shared))
      await app.records()
      const among = ['a', 'b', 'c', 'd']
      const told = await Promise.all(
        among.map((name) =>
          app.request('work', { name, steps: [{ meet: name, among }, { help: 2 }] }, { session: `of-${name}` }),
        ),
      )
      for (const [i, one] of (told as Told[]).entries()) {
        const { name, session, invocation, results } = one
        expect({ name, session, results }).toEqual({
          name: among[i],
          session: `of-${among[i]}`,
          results: [null, `4 ${invocation}.1`],
        })
      }
      const records = (await app.records()).filter(({ task }) => task === 'work')
      expect(new Set(records.map(({ sandbox }) => sandbox)).size).toBe(1)
      expect(records.filter(({ cold }) => cold !== null)).toHaveLength(1)
      // The first began alone: what makes its CPU time unreadable came later.
      expect(records.map(({ concurrent }) => concurrent)).toEqual([4, 4, 4, 4])
    })

    test('where every start is forced, those that come before it is idle share one all the same', async () => {
      const setup = mapsSetup(app.app, shared)
      await app.deploy(setup, {}, { forceCold: true })
      await app.records()
      for (const round of ['x', 'y']) {
        const among = [`${round}1`, `${round}2`, `${round}3`]
        await Promise.all(among.map((name) => app.request('work', { name, steps: [{ meet: name, among }] })))
        const records = await app.records()
        expect(records).toHaveLength(3)
        expect(new Set(records.map(({ sandbox }) => sandbox)).size).toBe(1)
        expect(records.filter(({ cold, coldKind }) => cold !== null && coldKind === 'forced')).toHaveLength(1)
      }
    })

    test('run them on as many threads as they have cores, where the setup says so', async () => {
      await app.deploy(mapsSetup(app.app, onThreads), { THREADS: '1' })
      await app.records()
      const told = await ask(['a', 'b', 'c', 'd', 'e', 'f'], { spin: 30 }, { help: 1 }, { note: 'sent' })
      expect(new Set(told.map(({ thread }) => thread)).size).toBe(2)
      for (const { results, invocation } of told) expect(results[1]).toBe(`2 ${invocation}.1`)
      const records = await app.records()
      const own = records.filter(({ task }) => task === 'work')
      expect(own).toHaveLength(6)
      for (const record of own) {
        expect(record.cpu).toBeUndefined()
        expect(record.spans[0]).toMatchObject({ parent: -1, task: 'work', mode: 'call', route: 'inline', pooled: true })
        expect(record.spans.map(({ task }) => task)).toEqual(['work', 'helper', 'note'])
        const helped = records.find(
          ({ parent, task }) => task === 'helper' && parent?.startsWith(record.span.slice(0, 8)),
        )
        expect(record.spans[Number.parseInt(helped?.parent?.slice(8) as string, 16)]?.task).toBe('helper')
      }
      expect(
        app
          .noted()
          .map((line) => line.split(' ')[1])
          .sort(),
      ).toEqual(told.map(({ session }) => session).sort())
    })

    test.each([
      ['the loop', shared],
      ['threads', onThreads],
    ])('that wait do not keep others waiting, on %s', async (_, change) => {
      await app.deploy(mapsSetup(app.app, change))
      const among = ['a', 'b', 'c', 'd', 'e']
      const told = await Promise.all(among.map((name) => app.request('work', { name, steps: [{ meet: name, among }] })))
      expect((told as Told[]).map(({ name }) => name)).toEqual(among)
    })

    test('one that ends its thread is the only one that fails', async () => {
      await app.deploy(mapsSetup(app.app, onThreads))
      const fatal = app.request('work', { name: 'fatal', steps: [{ end: 'exit' }] }).catch((thrown: unknown) => thrown)
      const others = ask(['a', 'b', 'c'], { spin: 5 })
      expect(await fatal).toMatchObject({ code: 'SANDBOX_CRASHED' })
      // What shared its thread had not begun, so it was run again.
      expect((await others).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    })

    const deadly = { threads: [shared], processes: [shared, onThreads] }[isolation]
    test.each(deadly)('die with all of them: callers hear of it, sends run again (%j)', async (change) => {
      await app.deploy(mapsSetup(app.app, change), { THREADS: '1' })
      const [first] = await ask(['first'])
      const pid = Number(first?.thread?.split(' ')[0])
      await app.records()
      const among = ['call-1', 'call-2', 'send-1', 'send-2']
      const itemOf = (name: string): Item => ({
        name,
        steps: [{ meet: name, among }, { meet: `${name}-there`, among: ['go'] }, { note: name }],
      })
      const calls = among
        .slice(0, 2)
        .map((name) => app.request('work', itemOf(name)).catch((thrown: unknown) => thrown))
      for (const name of among.slice(2)) await app.platform.send('work', encode(itemOf(name)))
      await app.met(among.map((name) => `${name}-there`))
      if (isolation === 'processes') process.kill(pid, 'SIGKILL')
      else await ask(['fatal'], { end: 'exit' }).catch(() => {})
      for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'SANDBOX_CRASHED' })
      app.meet('go')
      const records = (await app.records()).filter(({ task }) => task === 'work')
      expect(new Set(records.map(({ sandbox }) => sandbox)).size).toBe(1)
      expect(records.map(({ mode, attempt }) => [mode, attempt])).toEqual([
        ['send', 2],
        ['send', 2],
      ])
      expect(app.noted().map((line) => line.split(' ')[0])).toEqual(['send-1', 'send-2'])
    })
  },
)
