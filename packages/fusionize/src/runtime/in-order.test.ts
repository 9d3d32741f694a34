import { expect, test } from 'vitest'
import { task } from '../task.js'
import { inOrder } from './in-order.js'

test('results come in order, whichever is there first', async () => {
  const slow = deferred<number>()
  const all = inOrder([slow.promise, Promise.resolve(2)])
  slow.resolve(1)
  expect(await all).toEqual([1, 2])
  expect(await inOrder([])).toEqual([])
})

test('of several errors the first in order is heard, however late it is', async () => {
  const slow = deferred<number>()
  const all = inOrder([Promise.resolve(1), slow.promise, Promise.reject(new Error('sooner'))])
  await new Promise((resolve) => setImmediate(resolve))
  slow.reject(new Error('earlier'))
  await expect(all).rejects.toThrow('earlier')
})

test('an error is heard as soon as all before it have succeeded', async () => {
  const never = new Promise<number>(() => {})
  await expect(inOrder([Promise.resolve(1), Promise.reject(new Error('second')), never])).rejects.toThrow('second')
})

test('a hole in the list is an item of nothing', async () => {
  const given: unknown[] = []
  const work = task<number | undefined, number>('work', async (n) => given.push(n))
  // biome-ignore lint/suspicious/noSparseArray: that is the point
  expect(await work.map([1, , 3])).toEqual([1, 2, 3])
  expect(given).toEqual([1, undefined, 3])
})

function deferred<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((ok, fail) => {
    resolve = ok
    reject = fail
  })
  return { promise, resolve, reject }
}
