import { drained } from 'fusionize/testing'
import { expect, test } from 'vitest'
import checkout from '../tasks/checkout'
import discount from '../tasks/discount'
import price from '../tasks/price'

// outside a function, a task is the function that you wrote

test('an order costs the sum of its items', async () => {
  expect(await checkout({ customer: 'c-1', items: ['apple', 'bread'] })).toEqual({ customer: 'c-1', total: 380 })
  await drained() // the receipt is sent after the reply; wait for it
})

test('large orders get ten percent off', async () => {
  expect(await discount(999)).toBe(0)
  expect(await checkout({ customer: 'c-1', items: ['cheese'] })).toEqual({ customer: 'c-1', total: 1125 })
  await drained()
})

test('an unknown item fails the order', async () => {
  await expect(price('unicorn')).rejects.toThrow('there is no unicorn in this shop')
  await expect(checkout({ customer: 'c-1', items: ['apple', 'unicorn'] })).rejects.toThrow('no unicorn')
})
