import { type BucketObject, bucket, byBatchSize, bySet, byTime, task } from 'fusionize'
import { definitionOf, type FunctionModule } from 'fusionize/runtime'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createAdapter } from '../src/runtime/adapter.js'
import { evaluate } from '../src/runtime/buckets/index.js'
import type { Envelope } from '../src/runtime/envelope.js'
import type { Environment } from '../src/runtime/environment.js'
import type { Extension } from '../src/runtime/extension.js'
import { Loopback } from './buckets/loopback.js'

type Objects = BucketObject<number>[]

const seen: Record<string, unknown[][]> = {}
function note(what: string, objects: Objects): void {
  seen[what] ??= []
  seen[what].push(objects.map(({ value }) => value))
}

const answers = bucket<{ sum: number }>('answers')
const join = task('join', async (objects: Objects) => {
  note('join', objects)
  await answers.put('sum', { sum: objects.reduce((sum, { value }) => sum + value, 0) })
})
const pair = task('pair', async (objects: Objects) => note('pair', objects))
const late = task('late', async (objects: Objects) => note('late', objects))
const rest = task('rest', async (objects: Objects) => note('rest', objects))
const window = task('window', async (objects: Objects) => note('window', objects))
const big = task('big', async (objects: BucketObject<string>[]) => {
  seen.big = [...(seen.big ?? []), objects.map(({ value }) => value.length)]
})

const parts = bucket<number>('parts').on(bySet(['a', 'b'], { onIncomplete: rest }), join)
const batches = bucket<number>('batches').on(byBatchSize(5), pair)
const waits = bucket<number>('waits').on(byBatchSize(10, { scope: 'session', maxWaitMs: 200 }), late)
const windows = bucket<number>('windows').on(byTime(500), window)
const texts = bucket<string>('texts').on(bySet(['x', 'y']), big)

const worker = task('worker', async ({ key, value }: { key: string; value: number }) => parts.put(key, value))
const add = task('add', async (value: number) => batches.put(`k${value}`, value))
const start = task('start', { result: answers }, async ({ only = false }: { only?: boolean }) => {
  await worker.send({ key: 'a', value: 1 })
  if (!only) await worker.send({ key: 'b', value: 2 })
})
const many = task('many', async (count: number) => {
  await Promise.all(Array.from({ length: count }, (_, i) => add.send(i)))
})
const slow = task('slow', async (value: number) => {
  await waits.put('one', value)
  await windows.put('one', value)
})
const large = task('large', async (length: number) => {
  await Promise.all(['x', 'y'].map((key) => texts.put(key, key.repeat(length))))
  return (await texts.get('x')) === undefined
})

const tail = task('tail', async (value: number) => {
  await new Promise((resolve) => setTimeout(resolve, 100))
  await parts.put('a', value)
})
const middle = task('middle', async (value: number) => tail.send(value))
const front = task('front', async (value: number) => middle(value))

const evaluator = evaluate([answers, batches, parts, texts, waits, windows])
const functions = [join, pair, late, rest, window, big, worker, add, start, many, slow, large, middle, front].map(
  (one): FunctionModule => {
    const name = definitionOf(one)?.name as string
    return {
      ...{ app: 'app', function: name, leaves: [], evaluator },
      // What goes on after a reply is in one function only.
      ...(one === middle ? { tasks: [middle, tail] } : { tasks: [one] }),
      inline: { call: [], send: one === middle ? ['tail'] : [], map: [] },
    }
  },
)

describe('buckets behind the Lambda adapter, in a table that speaks DynamoDB', () => {
  let all: Loopback
  /** What goes on after replies. */
  const after: Promise<unknown>[] = []
  const extension: Extension = { during: (_, work) => void after.push(work) }
  beforeAll(async () => {
    // Records and logs.
    vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const open = (fn: string, environment: Environment) =>
      createAdapter(functions.find((one) => one.function === fn) as FunctionModule, environment, extension)
    all = await Loopback.start(
      functions.map((one) => one.function),
      2,
      open,
    )
  })
  afterAll(async () => {
    vi.restoreAllMocks()
    await all.close()
  })

  async function invoke(task: string, input: unknown, session: string): Promise<unknown> {
    const envelope: Envelope = {
      ...{ fusionize: 1, id: `i-${session}`, session, task, mode: 'call', external: true },
      ...{ input: { json: input }, trace: '0'.repeat(32), parent: null, at: Date.now() },
    }
    return all.invoke(task, envelope)
  }

  it('join what two sandboxes put, and answer from a bucket', async () => {
    expect(await invoke('start', {}, 's1')).toMatchObject({ ok: true, output: { json: { sum: 3 } } })
    await all.quiet()
    expect(seen.join).toEqual([[1, 2]])
    expect(all.failed).toEqual([])
  })

  it('end a session with what is incomplete, and an entry that has no answer', async () => {
    expect(await invoke('start', { only: true }, 's2')).toMatchObject({ ok: false, error: { code: 'NO_RESULT' } })
    await all.quiet()
    expect(seen.rest).toEqual([[1]])
    expect(all.failed).toEqual([])
  })

  it('batch what many invocations put at the same time, each once', async () => {
    await invoke('many', 20, 's3')
    await all.quiet()
    expect(seen.pair).toHaveLength(4)
    const values = seen.pair?.flat().map(Number)
    expect(values?.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(all.failed).toEqual([])
  })

  it('fire when time has come, also after the session’s last invocation', async () => {
    await invoke('slow', 7, 's4')
    await all.quiet()
    expect(seen.late).toEqual([[7]])
    expect(seen.window).toEqual([[7]])
    expect(all.failed).toEqual([])
  })

  it('end a session after what goes on after a reply', async () => {
    seen.rest = []
    await invoke('front', 9, 's6')
    expect(seen.rest).toEqual([])
    await Promise.all(after)
    await all.quiet()
    expect(seen.rest).toEqual([[9]])
    expect(all.failed).toEqual([])
  })

  it('keep large objects elsewhere, and forget them', async () => {
    await invoke('large', 2_000_000, 's5')
    await all.quiet()
    expect(seen.big).toEqual([[2_000_000, 2_000_000]])
    expect([...all.objects.keys()].filter((name) => name.includes('/objects/'))).toEqual([])
    expect(all.failed).toEqual([])
  })
})
