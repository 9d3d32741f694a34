import { readFileSync } from 'node:fs'
import { chainCode, fanOutCode } from '@fusionize/example-kit/microbench'
import type { BucketObject } from 'fusionize'
import { drained } from 'fusionize/testing'
import { expect, test } from 'vitest'
import config from '../fusionize.config'
import { keysOf, totalOf } from '../lib/fan'
import { checksumOf, payloadOf } from '../lib/payload'
import type { Podium, Start } from '../lib/race'
import chain from '../tasks/chain/chain'
import lastStep from '../tasks/chain/step-0010'
import fanOut from '../tasks/fan-out/fan-out'
import fanSet from '../tasks/fan-set/fan-set'
import noop from '../tasks/noop'
import payload from '../tasks/payload/payload'
import receive from '../tasks/payload/receive'
import accept from '../tasks/stragglers/accept'
import stragglers from '../tasks/stragglers/stragglers'

test('noop answers what it got', async () => {
  expect(await noop({ n: 3 })).toEqual({ n: 3 })
})

test('the chain takes ten steps', async () => {
  expect(await chain({ start: 5 })).toEqual({ start: 5, now: 15 })
  await drained()
})

test('the last step sees a step that was left out', async () => {
  const early: BucketObject<{ start: number; now: number }> = {
    key: 'walk',
    session: 's',
    value: { start: 5, now: 13 },
  }
  await expect(lastStep(early)).rejects.toThrow('from 5 to 14, not 10 steps on')
})

test.each([1, 2, 100, 1000])('a fan-out of %i is joined, each part once', async (n) => {
  expect(await fanOut({ n })).toEqual({ parts: n, sum: ((n - 1) * n * (2 * n - 1)) / 6 })
  await drained()
})

test('a fan-out of no tasks is refused', async () => {
  await expect(fanOut({ n: 0 })).rejects.toThrow()
  await expect(fanOut({ n: 1.5 })).rejects.toThrow()
})

test('the fixed set of sixteen is joined', async () => {
  expect(await fanSet()).toEqual({ parts: 16, sum: 1240 })
  await drained()
})

test('a part that is lost, doubled, misplaced or wrong is seen', () => {
  const parts = keysOf(4).map((_, index) => ({ index, of: 4, square: index * index }))
  expect(totalOf(parts)).toEqual({ parts: 4, sum: 14 })
  const [a, b, c, d] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0], (typeof parts)[0]]
  for (const wrong of [
    [a, b, c],
    [a, b, c, c],
    [b, a, c, d],
    [a, b, c, { ...d, square: 8 }],
  ])
    expect(() => totalOf(wrong)).toThrow('part ')
})

test.each([0, 1, 3, 10, 1_000, 1_000_003])('%i bytes arrive as they were sent', async (bytes) => {
  expect(await payload({ bytes })).toEqual({ bytes, checksum: checksumOf(payloadOf(bytes)) })
  await drained()
})

test('bytes that are missing, changed or moved are seen', async () => {
  const sent = payloadOf(1_001)
  const key = `${sent.length}/${checksumOf(sent)}`
  const changed = sent.slice()
  changed[1_000] = (changed[1_000] as number) ^ 1
  const moved = sent.slice()
  moved.set(sent.subarray(4, 8), 0)
  moved.set(sent.subarray(0, 4), 4)
  for (const value of [sent.subarray(0, 1_000), changed, moved])
    await expect(receive({ key, session: 's', value })).rejects.toThrow(`${key} was sent`)
})

/** The reply is what the last task puts. */
async function race(request: { slow: number; slowMs: number }): Promise<Podium> {
  return (await stragglers(request)) as unknown as Podium
}

test('three of five answers are enough, and the slow are not among them', async () => {
  const { first, late } = await race({ slow: 2, slowMs: 20 })
  expect([...first].sort()).toEqual([2, 3, 4])
  expect(late).toEqual([])
  await drained()
})

test('with three slow ones the third answer is late', async () => {
  const { first, late } = await race({ slow: 3, slowMs: 20 })
  expect(first.slice(0, 2).sort()).toEqual([3, 4])
  expect(late).toEqual([first[2]])
  await drained()
})

test('too few answers, or one twice, are seen', async () => {
  const answer = (number: number): BucketObject<Start> => ({ key: 'k', session: 's', value: { number, delayMs: 0 } })
  for (const wrong of [
    [0, 1],
    [0, 1, 1],
    [0, 1, 2, 3],
  ])
    await expect(accept(wrong.map(answer))).rejects.toThrow('3 sources are enough')
})

test('the chain and the fan-out that stand here are what the generator writes', () => {
  for (const [path, text] of Object.entries({ ...chainCode(10), ...fanOutCode(16) }))
    expect(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), path).toBe(text)
})

test('the load asks every entry in turn', () => {
  const tasks = Array.from({ length: 12 }, (_, index) => config.load?.request(index, Math.random).task)
  expect(new Set(tasks)).toEqual(new Set(['noop', 'chain', 'fan-out', 'fan-set', 'payload', 'stragglers']))
})
