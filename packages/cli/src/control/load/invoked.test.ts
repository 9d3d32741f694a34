import type { Platform } from '@fusionize/platform'
import { expect, it } from 'vitest'
import { runInvokedLoad } from './invoked.js'

it('makes each request by an invocation, and a failed one is a reply', async () => {
  const asked: unknown[] = []
  const platform: Pick<Platform, 'invoke'> = {
    async invoke(task, input) {
      asked.push([task, input])
      const error = { name: 'Error', message: 'no' }
      return task === 'bad' ? { ok: false, error, session: 'b' } : { ok: true, output: '1', session: 'a' }
    },
  }
  const requests = [
    { task: 'good', input: { n: 1 } },
    { task: 'bad', input: undefined },
    { task: 'good', input: new Uint8Array([1]) },
  ]
  const told: number[] = []
  const samples = await runInvokedLoad(platform, requests, [0, 1, 2], { onSamples: (batch) => told.push(batch.length) })
  expect(asked).toEqual([
    ['good', '{"n":1}'],
    ['bad', undefined],
    ['good', new Uint8Array([1])],
  ])
  expect(samples).toMatchObject([
    { index: 0, status: 200, session: 'a' },
    { index: 1, status: 500, session: 'b' },
    { index: 2, status: 200 },
  ])
  expect(told.reduce((sum, count) => sum + count, 0)).toBe(3)
})

it('ends when it is told to', async () => {
  const stop = new AbortController()
  const platform: Pick<Platform, 'invoke'> = { invoke: () => new Promise(() => {}) }
  const load = runInvokedLoad(platform, [{ task: 'slow', input: 1 }], [0], { signal: stop.signal })
  setTimeout(() => stop.abort(), 5)
  await expect(load).resolves.toEqual(expect.any(Array))
})
