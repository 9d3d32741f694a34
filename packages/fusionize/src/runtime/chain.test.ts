import { afterAll, describe, expect, it, vi } from 'vitest'
import { bucket } from '../bucket.js'
import { parseRecord } from '../record.js'
import { type Task, task } from '../task.js'
import { immediate } from '../triggers/constructors.js'
import { createHandler } from './handler.js'
import type { HeldSend, InvocationPort, Outcome, Transport } from './protocol.js'

/** A clock that a held-up machine does not move: every reading is a µs after the one before. */
const realNow = vi.hoisted(() => {
  const real = performance.now
  let now = 1000
  performance.now = () => {
    now += 0.001
    return now
  }
  return real
})
afterAll(() => {
  performance.now = realNow
})

type Told =
  | { what: 'reply'; of: string; ok: boolean; next: string[] }
  | { what: 'settled'; of: string; ok: boolean; next: string[] }
  | { what: 'done'; of: string; records: string[] }
  | { what: 'begins'; send: string }
  | { what: 'mirror'; keys: string[]; ended: string }
  | { what: 'released'; count: number }

const turn = () => new Promise((resolve) => setImmediate(resolve))

const recordsOf = (told: readonly Told[]) => told.flatMap((one) => (one.what === 'done' ? one.records : []))

/** A function whose tasks `s1` to `s<n>` start one another through buckets, each as an invocation of its own; `acts`: what some of them do. */
function chainOf(n: number, acts: Record<string, () => unknown> = {}, timeout = 1000) {
  const tasks: Task<never, unknown>[] = []
  const buckets: { name: string; put: (key: string, value: unknown) => Promise<void> }[] = []
  const ran: string[] = []
  for (let i = n; i >= 1; i--) {
    const next = buckets[i + 1]
    const body = async () => {
      ran.push(`s${i}`)
      await acts[`s${i}`]?.()
      await next?.put('k', i)
    }
    const one = task(`s${i}`, { timeout }, body) as unknown as Task<never, unknown>
    tasks[i] = one
    buckets[i] = { name: `b${i}`, put: bucket<never>(`b${i}`).on(immediate(), one as never).put as never }
  }
  // What a step sends to runs inline, after the step, and starts one more.
  const tail = task('tail', async () => void ran.push('tail'))
  const ending = bucket<number>('ending').on(immediate(), tail as never)
  const side = task('side', async () => {
    ran.push('side')
    await acts.side?.()
    await ending.put('k', 0)
  })
  const entry = task('entry', async () => buckets[1]?.put('k', 0))
  const told: Told[] = []
  const port = (of: string): InvocationPort => ({
    reply(outcome: Outcome, held: HeldSend[], next: readonly HeldSend[]) {
      // What is held is written down.
      for (const { input } of next) expect(input).toContain('k')
      told.push({ what: 'reply', of, ok: outcome.ok, next: next.map((send) => send.task) })
      return held.length > 0 ? Promise.resolve([]) : undefined
    },
    settled(_id, outcome, _held, next) {
      told.push({ what: 'settled', of, ok: outcome.ok, next: next.map((send) => send.task) })
      return undefined
    },
    done(lines) {
      told.push({
        what: 'done',
        of,
        records: lines()
          .split('\n')
          .map((line) => parseRecord(line).task),
      })
    },
  })
  const transport = {
    begin(send: HeldSend) {
      told.push({ what: 'begins', send: send.task })
      return port(send.task)
    },
    mirror: (_session, ops, ended) =>
      void told.push({ what: 'mirror', keys: ops.map(({ bucket: name }) => name), ended }),
    release: (ids) => void told.push({ what: 'released', count: ids.length }),
    log: () => {},
  } as Partial<Transport> as Transport
  const names = tasks.slice(1).map((_, i) => `s${i + 1}`)
  const handler = createHandler(
    {
      app: 'a',
      function: 'entry',
      tasks: [entry, side, tail, ...tasks.slice(1)] as never,
      inline: { call: [], send: ['side'], map: [] },
      leaves: [],
      buckets: [...names.map((name) => name.replace('s', 'b')), 'ending'],
    },
    { sandbox: 's', setup: 'x', memory: 128, timeoutMs: 1000, sampleCpuEvery: 0, dev: false },
    transport,
  )
  let sessions = 0
  const begin = () => {
    const id = `session-${++sessions}`
    const rest = { external: false, attempt: 1, deadline: Date.now() + 1000, trace: '0'.repeat(32), parent: null }
    handler.run(
      { ...rest, id, session: id, task: 'entry', mode: 'send', input: undefined, cold: null, lease: true },
      port('entry'),
    )
    return id
  }
  /** Runs a session until `last` has run and all is told. */
  const session = async (last = `s${n}`) => {
    told.length = 0
    ran.length = 0
    const id = begin()
    await vi.waitFor(() => expect(ran).toContain(last), { interval: 1 })
    await turn()
    await turn()
    return id
  }
  /** What has run twice is known to be brief. */
  const warm = async () => {
    await session()
    await session()
  }
  return { handler, told, ran, session, warm, begin, side }
}

describe('invocations that start one another in one turn', () => {
  it('are told as one, with a record of each, and of their session only that it is over', async () => {
    const { told, ran, session, warm } = chainOf(6)
    await warm()
    // Unless the machine holds one of them up for so long that they are no longer brief.
    await vi.waitFor(async () => {
      await session()
      expect(ran).toEqual(['s1', 's2', 's3', 's4', 's5', 's6'])
      expect(told).toEqual([
        { what: 'mirror', keys: ['b1'], ended: 'no' },
        { what: 'reply', of: 'entry', ok: true, next: ['s1'] },
        { what: 'done', of: 'entry', records: ['entry'] },
        { what: 'begins', send: 's1' },
        { what: 'reply', of: 's1', ok: true, next: [] },
        { what: 'mirror', keys: [], ended: 'session' },
        { what: 'done', of: 's1', records: ran },
      ])
    })
  })

  it('are told one by one as long as nobody knows how long they take', async () => {
    const { told, session } = chainOf(3)
    await session()
    expect(told.filter(({ what }) => what === 'begins')).toHaveLength(3)
  })

  it('are told one by one where the limit of the first is short: it would end while the others run', async () => {
    const { told, session, warm } = chainOf(3, {}, 100)
    await warm()
    await session()
    expect(told.filter(({ what }) => what === 'begins')).toHaveLength(3)
  })

  it('are forgotten when they are told: the next request tells nothing of them', async () => {
    const { told, session, warm } = chainOf(4)
    await warm()
    for (let i = 0; i < 3; i++) {
      await session()
      expect(told.filter(({ what }) => what === 'done')).toMatchObject([{ records: ['entry'] }, { of: 's1' }])
    }
  })

  it('have one that fails held outside, to be run again by itself', async () => {
    let fails = false
    const { told, session, warm } = chainOf(4, {
      s3: () => {
        if (fails) throw new Error('no')
      },
    })
    await warm()
    fails = true
    await session('s3')
    const from = told.findIndex((one) => one.what === 'reply' && one.of === 's1')
    expect(told.slice(from)).toEqual([
      { what: 'reply', of: 's1', ok: true, next: ['s3'] },
      { what: 'done', of: 's1', records: ['s1', 's2'] },
      { what: 'begins', send: 's3' },
      expect.objectContaining({ what: 'reply', of: 's3', ok: false }),
      expect.objectContaining({ what: 'mirror', ended: 'lease' }),
      { what: 'done', of: 's3', records: ['s3'] },
    ])
    expect(told[from - 1]).toEqual({ what: 'mirror', keys: ['b2', 'b3'], ended: 'no' })
  })

  it('have one that goes on after its turn held outside, as begun, with what its session did before', async () => {
    let going: Promise<void> | undefined
    let go = () => {}
    const { told, ran, session, warm } = chainOf(4, { s3: () => going })
    await warm()
    going = new Promise((resolve) => {
      go = resolve
    })
    await session('s3')
    const from = told.findIndex((one) => one.what === 'begins' && one.send === 's1')
    expect(told.slice(from + 1, from + 5)).toEqual([
      { what: 'mirror', keys: ['b2', 'b3'], ended: 'no' },
      { what: 'reply', of: 's1', ok: true, next: ['s3'] },
      { what: 'done', of: 's1', records: ['s1', 's2'] },
      { what: 'begins', send: 's3' },
    ])
    go()
    await vi.waitFor(() => expect(ran).toContain('s4'))
    await turn()
    expect(told.flatMap((one) => (one.what === 'done' ? one.records : []))).toEqual(['entry', 's1', 's2', 's3', 's4'])
  })

  it.each(['at once', 'after its turn'])(
    'answer once for what one leaves behind, and tell what that starts: %s',
    async (when) => {
      const chain = chainOf(3, {
        s2: () => chain.side.send(undefined as never),
        side: () => (when === 'at once' ? undefined : new Promise((resolve) => setTimeout(resolve, 5))),
      })
      for (let i = 0; i < 4; i++) {
        await chain.session('tail')
        await vi.waitFor(() => expect(recordsOf(chain.told)).toContain('tail'))
      }
      const begun = chain.told.flatMap((one) => (one.what === 'begins' ? [one.send] : []))
      const replied = chain.told.flatMap((one) => (one.what === 'reply' ? [one.of] : []))
      expect(replied).toEqual(['entry', ...begun])
      const started = chain.told.flatMap((one) => ('next' in one ? one.next : []))
      // While the sandbox has something else to do, what one starts is the platform's.
      const released = chain.told.reduce((sum, one) => sum + (one.what === 'released' ? one.count : 0), 0)
      expect(started).toHaveLength(begun.length + released)
      const ranHere = ['entry', 's1', 's2', 's3', 'tail'].filter((name) => chain.ran.includes(name) || name === 'entry')
      expect(recordsOf(chain.told).sort()).toEqual(ranHere)
    },
  )

  it('are told before the session is given back, or anything else begins', async () => {
    for (const ask of ['recall', 'run'] as const) {
      let going: Promise<void> | undefined
      let go = () => {}
      let asked = () => {}
      const chain = chainOf(4, { s3: () => asked() ?? going })
      await chain.warm()
      going = new Promise((resolve) => {
        go = resolve
      })
      let before = 0
      asked = () => {
        before = chain.told.length
        if (ask === 'recall') chain.handler.recall(`session-3`)
        else chain.begin()
      }
      await chain.session('s3')
      const after = chain.told.slice(before)
      expect(after.slice(0, 4).map(({ what }) => what)).toEqual(['mirror', 'reply', 'done', 'begins'])
      if (ask === 'recall') expect(after[4]).toMatchObject({ what: 'mirror', ended: 'lease' })
      go()
      await turn()
    }
  })
})
