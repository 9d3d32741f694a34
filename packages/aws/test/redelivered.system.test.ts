import { type BucketObject, bucket, byBatchSize, bySet, immediate, task } from 'fusionize'
import { definitionOf, type FunctionModule } from 'fusionize/runtime'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAdapter } from '../src/runtime/adapter.js'
import { evaluate } from '../src/runtime/buckets/index.js'
import type { Envelope } from '../src/runtime/envelope.js'
import type { Extension } from '../src/runtime/extension.js'
import { service } from '../src/runtime/service.js'
import { openTable } from '../src/runtime/table.js'
import { Loopback } from './buckets/loopback.js'

type Objects = BucketObject<number>[]

/** What ran, and what it was given. */
const ran: string[] = []
const note = (what: string, objects: Objects) => void ran.push(`${what} ${objects.map(({ key }) => key).sort()}`)

const note1 = task('note1', async (object: BucketObject<number>) => note('note1', [object]))
const rest = task('rest', async (objects: Objects) => {
  note('rest', objects)
  // In the session that the end of another has begun.
  await sums.put('rest', 0)
})
const join = task('join', async (objects: Objects) => {
  note('join', objects)
  await sums.put('sum', 1)
  await counts.put(`join of ${objects[0]?.session}`, 1)
})
const pair = task('pair', async (objects: Objects) => {
  note('pair', objects)
  await sums.put('pair', 2)
})

const sums = bucket<number>('sums').on(immediate(), note1)
const parts = bucket<number>('parts').on(bySet(['a', 'b'], { onIncomplete: rest }), join)
const counts = bucket<number>('counts').on(byBatchSize(2), pair)
/** Of the application, and starts what goes on with the session. */
const mixed = bucket<number>('mixed').on(immediate(), note1).on(byBatchSize(100), pair)

const work = task('work', async (name: string) => {
  await parts.put('a', 1)
  await side.send(name)
  await counts.put(`work ${name}`, 1)
  await mixed.put(`mixed ${name}`, 1)
})
const side = task('side', { retries: 0 }, async (name: string) => {
  ran.push(`side ${name}`)
  if (name !== 'alone') await parts.put('b', 1)
})
/** Puts after a reply, in this function. */
const tail = task('tail', { retries: 0 }, async (name: string) => {
  ran.push(`tail ${name}`)
  await parts.put('a', 1)
})
const front = task('front', async (name: string) => tail.send(name))
/** Sends and puts when its session has ended. */
let ended: Promise<void> = Promise.resolve()
const after: Promise<unknown>[] = []
const hasty = task('hasty', async (name: string) => {
  await sums.put('hasty', 1)
  after.push(ended.then(() => Promise.allSettled([parts.put('b', 1), side.send(name)])))
})

const evaluator = evaluate([counts, mixed, parts, sums])
const functions = [note1, rest, join, pair, work, side, front, hasty].map(
  (one): FunctionModule => ({
    ...{ app: 'app', function: definitionOf(one)?.name as string, leaves: [], evaluator },
    ...(one === front ? { tasks: [front, tail] } : { tasks: [one] }),
    inline: { call: [], send: one === front ? ['tail'] : [], map: [] },
  }),
)

let all: Loopback
/** What goes on after replies. */
const goingOn: Promise<unknown>[] = []
const extension: Extension = { during: (_, during) => void goingOn.push(during) }

beforeAll(async () => {
  // Records and logs.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const names = functions.map((one) => one.function)
  all = await Loopback.start(names, 2, (fn, environment) =>
    createAdapter(
      functions.find((one) => one.function === fn) as FunctionModule,
      { ...environment, afterReply: 'extension' },
      extension,
    ),
  )
})
afterAll(async () => {
  vi.restoreAllMocks()
  await all.close()
})
beforeEach(() => {
  for (const list of [ran, all.events, all.failed, all.letters]) list.length = 0
})

function envelopeOf(task: string, input: string, mode: 'call' | 'send'): Envelope {
  return {
    ...{ fusionize: 1, id: `id-${input}`, session: `session-${input}`, task, mode, external: true },
    ...{ input: { json: input }, trace: '0'.repeat(32), parent: null, at: Date.now() },
  }
}

async function quiet(): Promise<void> {
  await Promise.allSettled(goingOn)
  await all.quiet()
}

/** Delivers all that was handed over once more, as Lambda does that has not heard of its end. @returns what failed */
async function again(): Promise<string[]> {
  const failed: string[] = []
  for (const { function: fn, envelope } of [...all.events])
    await all.invoke(fn, envelope).catch(({ code }) => failed.push(`${fn} ${envelope.id}: ${code}`))
  await quiet()
  return failed
}

const noteNothing = () => expect({ failed: all.failed, letters: all.letters }).toEqual({ failed: [], letters: [] })

describe('what is delivered again when its session has ended', () => {
  it('is over, be it a root, a send or a firing: of a session, its end, or the application', async () => {
    const root = envelopeOf('work', 'one', 'send')
    all.events.push({ function: 'work', envelope: root })
    await all.invoke('work', root)
    const lonely = envelopeOf('work', 'alone', 'send')
    all.events.push({ function: 'work', envelope: lonely })
    await all.invoke('work', lonely)
    await quiet()
    const once = [...ran].sort()
    expect(once).toEqual([
      ...['join a,b', 'note1 mixed alone', 'note1 mixed one', 'note1 pair', 'note1 rest', 'note1 sum'],
      // What ran first was batched first.
      ...[expect.stringMatching('^pair '), 'rest a', 'side alone', 'side one'],
    ])
    const handed = all.events.length
    expect(await again()).toEqual([])
    expect(all.events).toHaveLength(handed)
    expect([...ran].sort()).toEqual(once)
    noteNothing()
  })

  it('is over, be it a message of a queue', async () => {
    const batch = {
      Records: [
        { messageId: 'm1', body: '"queued"', eventSource: 'aws:sqs', attributes: { ApproximateReceiveCount: '1' } },
      ],
    }
    expect(await all.invoke('work', batch)).toEqual({ batchItemFailures: [] })
    await quiet()
    const once = [...ran]
    expect(once).toContain('join a,b')
    expect(await all.invoke('work', batch)).toEqual({ batchItemFailures: [] })
    await quiet()
    expect(ran).toEqual(once)
    noteNothing()
  })

  it('is over, be it work that a reply left behind and nobody let go', async () => {
    await all.invoke('front', envelopeOf('front', 'late', 'call'))
    await quiet()
    const once = [...ran]
    expect(once).toEqual(['tail late', 'rest a', 'note1 rest'])
    const held = { id: 'held', session: 'session-late', function: 'front', task: 'tail', input: { json: 'late' } }
    const sends = JSON.stringify([{ ...held, trace: '0'.repeat(32), parent: '', setup: 'S' }])
    const table = openTable(service('dynamodb'), 'app')
    await table.put({ pk: 'hold#front', sk: '0', sends }, Date.now() + 5000)
    expect(await all.invoke('front', { fusionize: 'sweep' })).toEqual({ handed: 1 })
    await quiet()
    expect(ran).toEqual(once)
    noteNothing()
  })
})

it('what is put too late is refused, and what is sent too late runs', async () => {
  let end = () => {}
  ended = new Promise((resolve) => {
    end = resolve
  })
  await all.invoke('hasty', envelopeOf('hasty', 'hasty', 'send'))
  await all.quiet()
  end()
  const [outcomes] = (await Promise.all(after)) as PromiseSettledResult<void>[][]
  expect(outcomes).toMatchObject([{ status: 'rejected', reason: { code: 'SESSION_CLOSED' } }, { status: 'fulfilled' }])
  await quiet()
  expect(ran).toContain('side hasty')
  // It puts too late, too.
  expect(all.letters.map((letter) => JSON.parse(letter))).toMatchObject([
    { responsePayload: { fusionize: { code: 'SESSION_CLOSED' } } },
  ])
})
