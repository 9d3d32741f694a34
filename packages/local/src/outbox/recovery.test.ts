import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Outcome } from 'fusionize/runtime'
import { afterAll, describe, expect, it } from 'vitest'
import type { AcceptedSend } from './events.js'
import { createSends, type SendsOptions } from './index.js'

const root = mkdtempSync(join(tmpdir(), 'fusionize-recovery-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

const RETRIES = 2
const ok: Outcome = { ok: true, output: undefined }
const failed: Outcome = { ok: false, error: { name: 'Error', message: 'no' } }
const turn = () => new Promise((resolve) => setImmediate(resolve))
const segment = (number: number) => `sends-${String(number).padStart(8, '0')}.log`
const sendOf = (id: string, input = `"${id}"`): AcceptedSend => ({
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

/** Opens sends on a folder with these files. Runs end when the test says so; a retry comes at once. */
async function open(files: Record<string, Uint8Array> = {}, more: Partial<SendsOptions> = {}) {
  const dir = mkdtempSync(join(root, `${++folders}-`))
  for (const [name, data] of Object.entries(files)) writeFileSync(join(dir, name), data)
  const runs = new Map<string, { attempt: number; end(outcome: Outcome): void }>()
  const sends = createSends({
    dir,
    durability: 'journal',
    retries: RETRIES,
    retriesOf: () => undefined,
    retryDelayMs: 1,
    run: ({ id, attempt }) => new Promise((end) => runs.set(id, { attempt, end })),
    setTimer(then) {
      queueMicrotask(then)
      return { cancel() {} }
    },
    ...more,
  })
  await turn()
  return {
    dir,
    sends,
    attempts: () => new Map([...runs].map(([id, run]) => [id, run.attempt])),
    async end(id: string, outcome: Outcome) {
      const run = runs.get(id)
      runs.delete(id)
      run?.end(outcome)
      await turn()
    },
    /** What a death at this moment would leave. */
    files: () =>
      Object.fromEntries(
        readdirSync(dir)
          .filter((name) => name.includes('.log'))
          .map((name) => [name, readFileSync(join(dir, name))]),
      ),
  }
}

type World = Awaited<ReturnType<typeof open>>

/** What a world knows: how often each open send is about to have run, the dead, the done. */
async function knowledgeOf(world: World, ids: string[]) {
  const dead = new Map(world.sends.deadLetters().map((letter) => [letter.id, letter.attempts]))
  const known = await world.sends.accept(ids.map((id) => sendOf(id)))
  return { known, dead }
}

describe('after the platform died', () => {
  it('each send that was not done has one run less, but never none; an orderly end costs nothing', async () => {
    let world = await open()
    await world.sends.accept([sendOf('a')])
    const attempts = []
    for (const ending of ['death', 'death', 'end', 'end', 'death'] as const) {
      if (ending === 'end') await world.sends.close()
      const files = world.files()
      await world.sends.close()
      world = await open(files)
      attempts.push(world.attempts().get('a'))
    }
    expect(attempts).toEqual([2, 3, 3, 3, 3])
    await world.end('a', failed)
    expect(world.sends.deadLetters()).toMatchObject([{ id: 'a', attempts: 3 }])
    await world.sends.close()
  })

  it('nobody is asked about the open sends before they can answer', async () => {
    const first = await open()
    await first.sends.accept([sendOf('a')])
    const files = first.files()
    await first.sends.close()
    let ready = false
    const asked: [string, boolean][] = []
    const opening = open(files, {
      retriesOf: () => void asked.push(['retriesOf', ready]),
      run: async () => {
        asked.push(['run', ready])
        return ok
      },
    })
    ready = true
    const { sends } = await opening
    await sends.drained()
    expect(asked).toEqual([
      ['retriesOf', true],
      ['run', true],
    ])
    await sends.close()
  })

  it('at any point of a rewrite, the same sends are open, dead and done as without', async () => {
    const world = await open({}, { compactBytes: 4000 })
    const ids = ['open', 'failing', 'dead', 'done']
    await world.sends.accept(ids.map((id) => sendOf(id)))
    for (let i = 0; i <= RETRIES; i++) await world.end('dead', failed)
    await world.end('failing', failed)
    await world.end('done', ok)
    let before = world.files()
    for (let i = 0; !existsSync(join(world.dir, segment(2))); i++) {
      before = world.files()
      await world.sends.accept([sendOf(`filler-${i}`, JSON.stringify('x'.repeat(100)))])
      await world.end(`filler-${i}`, ok)
    }
    const after = world.files()
    expect(Object.keys(after)).toEqual([segment(2)])
    const [old, next] = [before[segment(1)] as Buffer, after[segment(2)] as Buffer]
    const points = [
      { [segment(1)]: old },
      { [segment(1)]: old, [`${segment(2)}.tmp`]: next.subarray(0, 50) },
      { [segment(1)]: old, [`${segment(2)}.tmp`]: next },
      { [segment(1)]: old, [segment(2)]: next },
      { [segment(2)]: next },
    ]
    for (const files of points) {
      const again = await open(files)
      const open_ = [...again.attempts()].filter(([id]) => ids.includes(id))
      expect(open_).toEqual([
        ['open', 2],
        ['failing', 3],
      ])
      expect(await knowledgeOf(again, ids)).toEqual({ known: ids, dead: new Map([['dead', 3]]) })
      await again.sends.close()
    }
    await world.sends.close()
  })

  it('with the journal cut at any byte, all that was in it before is as an obvious model says', async () => {
    type Step =
      | { do: 'accept'; held: boolean }
      | { do: 'end'; pick: number; good: boolean }
      | { do: 'orphan' | 'replay' }
    interface Model {
      state: 'open' | 'dead' | 'done'
      used: number
      holder?: string | undefined
    }
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ do: fc.constant('accept' as const), held: fc.boolean() }),
      fc.record({ do: fc.constant('end' as const), pick: fc.nat(20), good: fc.boolean() }),
      fc.record({ do: fc.constant('end' as const), pick: fc.nat(20), good: fc.constant(false) }),
      fc.record({ do: fc.constantFrom('orphan' as const, 'replay' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.array(fc.nat(), { maxLength: 4 }), async (steps, cuts) => {
        const world = await open()
        const model = new Map<string, Model>()
        const file = join(world.dir, segment(1))
        const history = [{ size: statSync(file).size, model: structuredClone(model) }]
        for (const action of steps) {
          if (action.do === 'accept') {
            const id = `id-${model.size}`
            const holder = action.held ? 'box' : undefined
            await world.sends.accept([sendOf(id)], holder)
            model.set(id, { state: 'open', used: 0, holder })
          } else if (action.do === 'end') {
            const opened = [...model].filter(([, item]) => item.state === 'open')
            const [id, item] = opened[action.pick % Math.max(1, opened.length)] ?? []
            if (id === undefined || item === undefined) continue
            const outcome = action.good ? ok : failed
            if (item.holder === undefined) await world.end(id, outcome)
            else world.sends.settled(id, outcome)
            item.holder = undefined
            if (action.good) item.state = 'done'
            else if (++item.used > RETRIES) item.state = 'dead'
          } else if (action.do === 'orphan') {
            world.sends.orphan('box')
            for (const item of model.values())
              if (item.holder !== undefined && item.state === 'open') {
                item.used = Math.min(item.used + 1, RETRIES)
                item.holder = undefined
              }
          } else {
            await world.sends.replay()
            for (const item of model.values())
              if (item.state === 'dead') Object.assign(item, { state: 'open', used: 0 })
          }
          await turn()
          history.push({ size: statSync(file).size, model: structuredClone(model) })
        }
        const data = readFileSync(file)
        await world.sends.close()
        const atLeast = history[0]?.size as number
        for (const cut of [data.length, ...cuts.map((n) => atLeast + (n % (data.length - atLeast + 1)))]) {
          const at = history.findLastIndex(({ size }) => size <= cut)
          const possible = history.slice(at, at + 2).map(({ model }) => model)
          // Between two acknowledgements each send is as before or as after.
          const sound = cut === history[at]?.size ? possible.slice(0, 1) : possible
          const again = await open({ [segment(1)]: data.subarray(0, cut) })
          const attempts = again.attempts()
          const ids = [...model.keys()]
          const { known, dead } = await knowledgeOf(again, ids)
          for (const id of ids) {
            const found = attempts.has(id)
              ? `open ${attempts.get(id)}`
              : dead.has(id)
                ? `dead ${dead.get(id)}`
                : known.includes(id)
                  ? 'done'
                  : 'unknown'
            const expected = sound.map((one) => {
              const item = one.get(id)
              if (item === undefined) return 'unknown'
              if (item.state === 'open') return `open ${Math.min(item.used + 1, RETRIES) + 1}`
              return item.state === 'dead' ? `dead ${item.used}` : 'done'
            })
            expect(expected, `${id} after a cut at ${cut} of ${data.length}`).toContain(found)
          }
          await again.sends.close()
        }
      }),
      { numRuns: 120 },
    )
  })
})
