import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkShop } from '@fusionize/example-kit/shop'
import { drained } from 'fusionize/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { savedItems } from '../lib/cart'
import { catalogue } from '../lib/catalogue'
import { loadRequest } from '../lib/load'
import { convert, currencies } from '../lib/money'
import { type Order, totalOf } from '../lib/order'
import { type ShopRequest, shopRequest } from '../lib/request'
import { store } from '../lib/store'
import checkout from '../tasks/checkout'
import frontend from '../tasks/frontend'
import getCart from '../tasks/get-cart'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webshop-'))
  vi.stubEnv('WEBSHOP_STORE', folder)
  vi.stubEnv('WEBSHOP_SCALE', '0.0001')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const user = 'u-7'
const ask = async <T>(request: ShopRequest) => (await frontend(request)) as T
const add = (item: string, product: string, quantity: number) =>
  ask<{ cart: { items: unknown[] } }>({ action: 'add', user, item, product, quantity })

test('the home page shows every product in the customer’s currency', async () => {
  const page = await ask<{ products: { id: string; price: unknown }[]; recommendations: string[]; ads: unknown[] }>({
    action: 'home',
    user,
    currency: 'EUR',
  })
  expect(page.products.map(({ id, price }) => ({ id, price }))).toEqual(
    catalogue.map(({ id, price }) => ({ id, price: convert(price, 'EUR') })),
  )
  const owned = savedItems(user).map(({ product }) => product)
  expect(page.recommendations).toHaveLength(3)
  for (const product of page.recommendations) expect(owned).not.toContain(product)
  expect(page.ads).toHaveLength(2)
})

test('what is added is on the page at once, in the cart when the work behind it is done, and once however often it is sent', async () => {
  const page = await add('i-1', 'p-3', 2)
  await add('i-1', 'p-3', 2)
  await drained()
  const kept = await getCart(user)
  expect(kept.items).toEqual([{ item: 'i-1', product: 'p-3', quantity: 2 }, ...savedItems(user)])
  expect(page.cart).toEqual(kept)
})

test('a checkout turns the cart into an order that adds up, is shipped, announced and can be paid', async () => {
  await add('i-1', 'p-3', 2)
  await drained()
  expect(await ask({ action: 'checkout', user, order: 'o-1', currency: 'CHF' })).toEqual({
    order: 'o-1',
    accepted: true,
  })
  await drained()
  const order = (await store.get<Order>('orders/o-1')) as Order
  expect(order.lines.map(({ item }) => item)).toEqual(['i-1', 'saved-0', 'saved-1'])
  expect(order.total).toEqual(totalOf(order))
  expect(order.total.currency).toBe('CHF')
  expect((await getCart(user)).items).toEqual([])
  expect(await store.entries('shipments')).toMatchObject([{ id: 'o-1', value: { user, pieces: 5 } }])
  expect(await store.entries('letters')).toMatchObject([{ id: 'o-1', value: { to: user } }])
  expect(await ask({ action: 'pay', user, order: 'o-1' })).toEqual({ paid: order.total })
  expect(await checkShop(store)).toEqual([])
})

test('an order that is placed again is the same order, and takes nothing more out of the cart', async () => {
  await checkout({ user, order: 'o-1', currency: 'USD' })
  await drained()
  const once = await store.dump()
  await checkout({ user, order: 'o-1', currency: 'USD' })
  await drained()
  expect(await store.dump()).toBe(once)
  await add('i-2', 'p-1', 1)
  await checkout({ user, order: 'o-1', currency: 'USD' })
  await drained()
  expect((await getCart(user)).items).toEqual([{ item: 'i-2', product: 'p-1', quantity: 1 }])
})

test('the store ends up the same whatever the order of the users, and when all is sent twice', async () => {
  const requests = Array.from({ length: 12 }, (_, i) => loadRequest(i)).filter(({ action }) => action !== 'checkout')
  for (const request of requests) await frontend(request)
  await drained()
  const inOrder = await store.dump()
  vi.stubEnv('WEBSHOP_STORE', join(folder, 'again'))
  await Promise.all([...requests, ...requests].reverse().map((request) => frontend(request)))
  await drained()
  expect(await store.dump()).toBe(inOrder)
})

test('a load leaves books that are right, and the check finds what is not', async () => {
  for (let i = 0; i < 30; i++) {
    await frontend(loadRequest(i))
    await drained()
  }
  expect(await store.list('orders/')).toHaveLength(10)
  expect(await checkShop(store)).toEqual([])
  const order = (await store.get<Order>('orders/o-3')) as Order
  await store.put('orders/o-3', { ...order, total: { ...order.total, cents: order.total.cents + 1 } })
  await store.put('orders/o-30', { ...order, order: 'o-30' })
  await store.put('orders/o-31', {
    ...order,
    order: 'o-31',
    lines: [{ item: 'i-x', product: 'p-1', quantity: 1, price: order.shipping }],
  })
  const problems = (await checkShop(store)).join('\n')
  expect(problems).toContain('orders/o-3: the total is not the sum')
  expect(problems).toContain('is in two orders: o-3 and o-30')
  expect(problems).toContain('orders/o-30 was not shipped')
  expect(problems).toContain('orders/o-30: its customer was not told')
  expect(problems).toContain('orders/o-31: what was taken out of the cart is not what was ordered')
  expect(problems).toContain('u-3/i-x is in an order, and nobody put it into a cart')
})

test('products are shown and found; what is not sold is an error', async () => {
  expect(await ask({ action: 'product', user, product: 'p-1', currency: 'JPY' })).toMatchObject({ name: 'Kettle' })
  expect(await ask({ action: 'search', user, words: 'brass BELL' })).toMatchObject({ products: [{ id: 'p-11' }] })
  await expect(ask({ action: 'product', user, product: 'p-12' })).rejects.toMatchObject({ code: 'NOT_SOLD' })
})

test('an order of somebody else, or that is not there yet, cannot be paid', async () => {
  await checkout({ user: 'u-1', order: 'o-1', currency: 'USD' })
  await drained()
  const declined = { name: 'PaymentDeclined', code: 'PAYMENT_DECLINED' }
  await expect(ask({ action: 'pay', user, order: 'o-1' })).rejects.toMatchObject(declined)
  await expect(ask({ action: 'pay', user, order: 'o-2' })).rejects.toMatchObject(declined)
  expect(await store.entries('payments')).toEqual([])
})

test('an amount that goes to another currency and back is off by less than a cent of a dollar’s worth', () => {
  for (const currency of currencies)
    for (const { price } of catalogue) {
      const back = convert(convert(price, currency), 'USD')
      expect(Math.abs(back.cents - price.cents)).toBeLessThanOrEqual(1)
    }
})

test('the schema takes every request of the load and names what is wrong in others', () => {
  const check = (value: unknown) => shopRequest['~standard'].validate(value)
  for (let i = 0; i < 60; i++) expect(check(loadRequest(i))).toEqual({ value: loadRequest(i) })
  expect(check({ action: 'steal', user })).toMatchObject({ issues: [{ path: ['action'] }] })
  expect(check({ action: 'add', user, item: 'i-1', product: 'p-1', quantity: 0, when: 'now' })).toEqual({
    issues: [
      { message: 'quantity must be a whole number from 1 to 99', path: ['quantity'] },
      {
        message: 'when is unknown here; fields are user, currency, item, product, quantity',
        path: ['when'],
      },
    ],
  })
})
