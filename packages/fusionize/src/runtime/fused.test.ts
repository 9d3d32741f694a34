import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { bucket } from '../bucket.js'
import { task } from '../task.js'
import { immediate } from '../triggers/constructors.js'
import { createHandler } from './handler.js'
import type { Transport } from './protocol.js'

/** Runs an entry that a bucket answers for, with what its puts start in the same invocation. @returns what happened, in order */
async function run(answerAt: number, puts: number): Promise<string[]> {
  const happened: string[] = []
  const consumer = task('consumer', async ({ key }: { key: string }) => void happened.push(`begins ${key}`))
  const hops = bucket<number>('hops').on(immediate(), consumer as never)
  const answers = bucket<number>('answers')
  const entry = task('entry', { result: answers }, async () => {
    for (let i = 1; i <= puts; i++) {
      await hops.put(String(i), i)
      happened.push(`goes on ${i}`)
      if (i === answerAt) await answers.put('answer', i)
      await turn()
    }
  })
  let onEnd = () => {}
  const ended = new Promise<void>((resolve) => {
    onEnd = resolve
  })
  const transport = {
    result: () => happened.push('answers'),
    mirror: (_session, _ops, how) => how !== 'no' && onEnd(),
  } satisfies Partial<Transport>
  const module = {
    app: 'test',
    function: 'entry',
    tasks: [entry, consumer],
    inline: { call: [], send: ['consumer'], map: [] },
    leaves: [],
    buckets: ['hops', 'answers'],
  }
  const info = { setup: 's', sandbox: 'b', memory: 128, sampleCpuEvery: 0, timeoutMs: 1000, dev: false }
  const handler = createHandler(module, info, transport as unknown as Transport)
  handler.run(
    {
      id: 'i',
      session: 'i',
      task: 'entry',
      mode: 'call',
      input: undefined,
      external: true,
      attempt: 1,
      deadline: Date.now() + 1000,
      trace: '0'.repeat(32),
      parent: null,
      cold: null,
      lease: true,
    },
    { reply: () => undefined, settled: () => undefined, done: () => {} },
  )
  await ended
  return happened
}

it('lets an answer of the same turn go before what was put with it', async () => {
  expect(await run(1, 1)).toEqual(['goes on 1', 'answers', 'begins 1'])
})

it('no longer waits for an answer that three turns of the session did not bring', async () => {
  expect(await run(6, 6)).toEqual([
    ...['goes on 1', 'begins 1', 'goes on 2', 'begins 2', 'goes on 3', 'begins 3'],
    ...['begins 4', 'goes on 4', 'begins 5', 'goes on 5', 'begins 6', 'goes on 6', 'answers'],
  ])
})

it('waits for nothing once the session is answered', async () => {
  expect(await run(1, 2)).toEqual(['goes on 1', 'answers', 'begins 1', 'begins 2', 'goes on 2'])
})
