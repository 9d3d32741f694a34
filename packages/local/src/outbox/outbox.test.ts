import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Outcome } from 'fusionize/runtime'
import { afterAll, describe, expect, it } from 'vitest'
import { decodeEntries, encodeEntry, oneWrite } from './entry.js'
import type { AcceptedSend } from './events.js'
import { createSends, type SendsOptions } from './index.js'

const root = mkdtempSync(join(tmpdir(), 'fusionize-outbox-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newFolder = () => {
  const dir = join(root, String(++folders))
  mkdirSync(dir)
  return dir
}

const RETRIES = 2
const ok: Outcome = { ok: true, output: undefined }
const failed: Outcome = { ok: false, error: { name: 'Error', message: 'no' } }
const turn = () => new Promise((resolve) => setImmediate(resolve))
const sendOf = (id: string, input: AcceptedSend['input'] = `"${id}"`): AcceptedSend => ({
  id,
  session: 's',
  function: 'f',
  task: 't',
  input,
  trace: 'a',
  parent: '',
  setup: 'x',
  accepted: 1,
  attempt: 1,
})

interface Run {
  send: AcceptedSend
  end(outcome: Outcome): void
}

/** Sends with runs that end, and timers that fire, when the test says so. */
function outbox(dir: string, more: Partial<SendsOptions> = {}) {
  const runs: Run[] = []
  const timers: { then: () => void; ms: number }[] = []
  const sends = createSends({
    dir,
    durability: 'journal',
    retries: RETRIES,
    retriesOf: () => undefined,
    retryDelayMs: 100,
    random: () => 0.5,
    run: (send) => new Promise((end) => runs.push({ send, end })),
    setTimer: (then, ms) => {
      const timer = { then, ms }
      timers.push(timer)
      return { cancel: () => timers.splice(timers.indexOf(timer), 1) }
    },
    ...more,
  })
  return { sends, runs, timers }
}

const journalOf = (dir: string) => {
  const name = readdirSync(dir).find((file) => file.endsWith('.log'))
  return name === undefined ? undefined : join(dir, name)
}

describe('what is buried while it runs', () => {
  const late = { name: 'Error', message: 'late' }

  it('is no dead letter when its run ends well after all', async () => {
    const { sends, runs } = outbox(newFolder())
    await sends.accept([sendOf('a'), sendOf('b')])
    expect(sends.bury(sendOf('a'), late)).toBe(false)
    expect(sends.stats()).toEqual({ pending: 1, retrying: 0, dead: 1 })
    for (const { end } of runs) end(ok)
    await turn()
    expect(sends.stats()).toEqual({ pending: 0, retrying: 0, dead: 0 })
    expect(sends.deadLetters()).toEqual([])
    await sends.drained()
    await sends.close()
  })

  it('is one when that fails, too, and is not run again', async () => {
    const { sends, runs } = outbox(newFolder())
    await sends.accept([sendOf('a')])
    sends.bury(sendOf('a'), late)
    runs[0]?.end(failed)
    await turn()
    expect(sends.stats()).toEqual({ pending: 0, retrying: 0, dead: 1 })
    expect(sends.deadLetters()).toMatchObject([{ id: 'a', error: late }])
    expect(runs).toHaveLength(1)
    await sends.drained()
    await sends.close()
  })
})

describe('accepted sends', () => {
  it('run at once, and are tried again with a doubling back-off until they are dead letters', async () => {
    const { sends, runs, timers } = outbox(newFolder())
    expect(await sends.accept([sendOf('a')])).toEqual([])
    const delays: number[] = []
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(runs.at(-1)?.send).toMatchObject({ id: 'a', attempt, input: '"a"' })
      runs.at(-1)?.end(failed)
      await turn()
      const timer = timers.pop()
      if (timer) delays.push(timer.ms)
      timer?.then()
    }
    expect(delays).toEqual([50, 100])
    expect(sends.deadLetters()).toMatchObject([{ id: 'a', task: 't', attempts: 3, error: { message: 'no' } }])
    expect(sends.stats()).toEqual({ pending: 0, retrying: 0, dead: 1 })
    await sends.drained()
    expect(await sends.replay(['other'])).toBe(0)
    expect(await sends.replay()).toBe(1)
    expect(runs.at(-1)?.send.attempt).toBe(1)
    runs.at(-1)?.end(ok)
    await sends.drained()
    expect(sends.deadLetters()).toEqual([])
    await sends.close()
  })

  it('that are replayed twice at once run once', async () => {
    const { sends, runs } = outbox(newFolder(), { retries: 0 })
    await sends.accept([sendOf('a')])
    runs.pop()?.end(failed)
    await turn()
    expect(await Promise.all([sends.replay(), sends.replay(['a'])])).toEqual([1, 0])
    expect(runs).toHaveLength(1)
    expect(sends.stats()).toEqual({ pending: 1, retrying: 0, dead: 0 })
    await sends.close()
  })

  it('are known by their id, while under way and after', async () => {
    const { sends, runs } = outbox(newFolder())
    const [first, second] = [sends.accept([sendOf('a')]), sends.accept([sendOf('a'), sendOf('b')])]
    expect([await first, await second]).toEqual([[], ['a']])
    for (const run of runs) run.end(ok)
    await sends.drained()
    expect(await sends.accept([sendOf('a')])).toEqual(['a'])
    expect(runs).toHaveLength(2)
    await sends.close()
  })

  it('that a sandbox holds run elsewhere only when it is gone', async () => {
    const { sends, runs } = outbox(newFolder())
    await sends.accept([sendOf('a'), sendOf('b')], 'sandbox-1')
    expect(runs).toHaveLength(0)
    sends.settled('a', ok)
    sends.orphan('sandbox-1')
    expect(runs.map((run) => run.send)).toMatchObject([{ id: 'b', attempt: 2 }])
    runs[0]?.end(ok)
    await sends.drained()
    await sends.close()
  })

  it('wait for the next start when the platform shuts down', async () => {
    const dir = newFolder()
    const { sends, runs } = outbox(dir)
    await sends.accept([sendOf('a', new Uint8Array([1, 255])), { ...sendOf('b'), input: undefined }])
    runs[0]?.end({ ok: false, error: { name: 'FusionizeError', message: 'bye', code: 'SHUTTING_DOWN' } })
    await sends.close()
    const again = outbox(dir)
    await turn()
    expect(again.runs.map((run) => run.send)).toMatchObject([
      { id: 'a', attempt: 1, input: new Uint8Array([1, 255]) },
      { id: 'b', attempt: 1, input: undefined },
    ])
    await again.sends.close()
  })

  it('are refused, not promised, when the journal cannot be written', async () => {
    const dir = newFolder()
    const { sends } = outbox(dir)
    const input = '1'
    const broken = {
      ...sendOf('a'),
      get input(): string {
        throw new Error('disk on fire')
      },
    }
    await expect(sends.accept([broken])).rejects.toThrow('disk on fire')
    expect(sends.stats().pending).toBe(0)
    expect(await sends.accept([sendOf('a', input)])).toEqual([])
    await sends.close()
  })

  it('stay when a journal full of history is rewritten in the very turn that accepts them', async () => {
    const dir = newFolder()
    const { sends, runs } = outbox(dir, { compactBytes: 2000 })
    const filler = JSON.stringify('x'.repeat(300))
    for (let i = 0; i < 30; i++) {
      await sends.accept([sendOf(`done-${i}`, filler)])
      runs.at(-1)?.end(ok)
      await turn()
      await sends.accept([sendOf(`kept-${i}`, '1')])
    }
    const kept = Array.from({ length: 30 }, (_, i) => `kept-${i}`)
    const copy = newFolder()
    writeFileSync(join(copy, 'sends-00000001.log'), readFileSync(journalOf(dir) as string))
    const again = outbox(copy)
    await turn()
    expect(again.runs.map((run) => run.send.id)).toEqual(kept)
    await Promise.all([sends.close(), again.sends.close()])
  })

  it('are refused after the end, and go on when a rewrite fails', async () => {
    const dir = newFolder()
    const { sends, runs } = outbox(dir, { compactBytes: 500 })
    mkdirSync(join(dir, 'sends-00000002.log.tmp'))
    for (let i = 0; i < 10; i++) {
      expect(await sends.accept([sendOf(`a-${i}`)])).toEqual([])
      runs.at(-1)?.end(ok)
      await turn()
    }
    const waiting = sends.accept([sendOf('open')]).then(() => sends.drained())
    await turn()
    await sends.close()
    await waiting
    await expect(sends.accept([sendOf('late')])).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
  })

  it('that were orphaned heed only their new run', async () => {
    const { sends, runs } = outbox(newFolder())
    await sends.accept([sendOf('a')], 'box')
    sends.orphan('box')
    sends.settled('a', failed)
    await turn()
    expect(sends.stats()).toEqual({ pending: 1, retrying: 0, dead: 0 })
    runs[0]?.end(ok)
    await sends.drained()
    await sends.close()
  })

  it('belong to one platform at a time; the lock of a dead one is taken over', async () => {
    const dir = newFolder()
    const { sends } = outbox(dir)
    expect(() => outbox(dir)).toThrow(/uses the state folder/)
    await sends.close()
    for (const stale of ['4194304 1 1', '', `${process.pid} 1 1`]) {
      writeFileSync(join(dir, 'sends.lock'), stale)
      await outbox(dir).sends.close()
    }
  })

  it('leave a small journal behind when most of them are done', async () => {
    const dir = newFolder()
    const { sends, runs } = outbox(dir)
    await sends.accept([sendOf('kept')])
    const megabyte = JSON.stringify('x'.repeat(2 ** 20))
    for (let i = 0; i < 10; i++) {
      await sends.accept([sendOf(`big-${i}`, megabyte)])
      runs.at(-1)?.end(ok)
      await turn()
    }
    await sends.accept([sendOf('last')])
    await sends.close()
    expect(statSync(journalOf(dir) as string).size).toBeLessThan(4 * 2 ** 20)
    const again = outbox(dir)
    await turn()
    expect(again.runs.map((run) => run.send.id)).toEqual(['kept', 'last'])
    expect(await again.sends.accept([sendOf('big-3')])).toEqual(['big-3'])
    await again.sends.close()
  })

  it('are all there after any history of runs, failures, orphans, replays and crashes with a torn tail', async () => {
    type Step =
      | { do: 'accept'; held: boolean; count: number }
      | { do: 'end' | 'settle'; pick: number; good: boolean }
      | { do: 'orphan' | 'timers' | 'replay' }
      | { do: 'crash'; tail: number }
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ do: fc.constant('accept' as const), held: fc.boolean(), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ do: fc.constantFrom('end' as const, 'settle' as const), pick: fc.nat(9), good: fc.boolean() }),
      fc.record({ do: fc.constantFrom('orphan' as const, 'timers' as const, 'replay' as const) }),
      fc.record({ do: fc.constant('crash' as const), tail: fc.nat(60) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        let dir = newFolder()
        let world = outbox(dir, { compactBytes: 1000 })
        let held: string[] = []
        const acknowledged = new Set<string>()
        const done = new Set<string>()
        let ids = 0
        const endRun = async (index: number, good: boolean) => {
          const [run] = world.runs.splice(index, 1)
          if (!run) return
          expect(run.send.attempt).toBeLessThanOrEqual(RETRIES + 1)
          expect(done.has(run.send.id)).toBe(false)
          run.end(good ? ok : failed)
          if (good) done.add(run.send.id)
          await turn()
        }
        for (const action of steps) {
          if (action.do === 'accept') {
            const items = Array.from({ length: action.count }, () => sendOf(`id-${ids++}`))
            await world.sends.accept(items, action.held ? 'box' : undefined)
            for (const { id } of items) acknowledged.add(id)
            if (action.held) held.push(...items.map((item) => item.id))
          } else if (action.do === 'end') await endRun(action.pick % Math.max(1, world.runs.length), action.good)
          else if (action.do === 'settle') {
            const [id] = held.splice(action.pick % Math.max(1, held.length), 1)
            if (id === undefined) continue
            if (action.good) done.add(id)
            world.sends.settled(id, action.good ? ok : failed)
            await turn()
          } else if (action.do === 'orphan') {
            world.sends.orphan('box')
            held = []
            await turn()
          } else if (action.do === 'timers') {
            for (const timer of world.timers.splice(0)) timer.then()
          } else if (action.do === 'replay') await world.sends.replay()
          else if (action.do === 'crash') {
            const before = journalOf(dir)
            dir = newFolder()
            if (before) writeFileSync(join(dir, 'sends-00000001.log'), readFileSync(before))
            // What was being written when the process died, and nobody was told of.
            const torn = encodeEntry({ type: 'accept', send: sendOf('never-acknowledged') })
            appendFileSync(join(dir, 'sends-00000001.log'), torn.subarray(0, Math.min(action.tail, torn.length - 1)))
            const { sends } = world
            world = outbox(dir, { compactBytes: 1000 })
            held = []
            await sends.close()
            await turn()
          }
        }
        await world.sends.orphan('box')
        for (let i = 0; i < 500 && (world.runs.length > 0 || world.timers.length > 0); i++) {
          for (const timer of world.timers.splice(0)) timer.then()
          await endRun(0, true)
        }
        const dead = new Set(world.sends.deadLetters().map((letter) => letter.id))
        for (const id of acknowledged) expect(done.has(id) || dead.has(id), `${id} is lost`).toBe(true)
        expect(dead.has('never-acknowledged')).toBe(false)
        await world.sends.drained()
        await world.sends.close()
      }),
      { numRuns: 150 },
    )
  })
})

describe('a journal entry', () => {
  it('comes back as it was, and ends the journal where it is damaged', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array(), fc.constant(undefined)), fc.nat(), (input, at) => {
        const { attempt: _, ...send } = sendOf('ü', input)
        const entry = encodeEntry({ type: 'accept', send })
        const good = encodeEntry({ type: 'done', id: 'ü' })
        const owed = { type: 'owed', session: 's', by: 'ü', send } as const
        expect(decodeEntries(Buffer.concat([entry, encodeEntry(owed), good])).events).toEqual([
          { type: 'accept', send },
          owed,
          { type: 'done', id: 'ü' },
        ])
        const damaged = Buffer.from(entry)
        const index = at % damaged.length
        damaged[index] = (damaged[index] as number) ^ 0xff
        expect(decodeEntries(Buffer.concat([good, damaged, good]))).toEqual({
          events: [{ type: 'done', id: 'ü' }],
          sound: good.length,
        })
      }),
    )
  })

  it('counts with all that it was written with: a write that was cut off anywhere is as if it had not been', () => {
    const before = encodeEntry({ type: 'done', id: 'before' })
    const events = ['a', 'b', 'c'].map((id) => ({ type: 'done' as const, id }))
    const write = oneWrite(events.map(encodeEntry))
    const whole = Buffer.concat([before, write])
    expect(decodeEntries(whole)).toEqual({ events: [{ type: 'done', id: 'before' }, ...events], sound: whole.length })
    for (let cut = 0; cut < write.length; cut++)
      expect(decodeEntries(whole.subarray(0, before.length + cut))).toEqual({
        events: [{ type: 'done', id: 'before' }],
        sound: before.length,
      })
  })
})
