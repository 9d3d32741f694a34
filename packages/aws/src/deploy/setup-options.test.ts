import { expect, it } from 'vitest'
import { appOf, buildOf, codeOf, where } from '../../test/support/app.ts'
import { desiredResources } from './desired.js'
import { ofKind } from './resources.js'

const shop = appOf(['front call cart', 'front call mail', 'cart call db', 'mail send db'], {
  front: { http: { method: 'GET', path: '/' } },
})
type Edit = Parameters<typeof buildOf>[1]

function told(edit: Edit) {
  const build = buildOf(shop, edit)
  const desired = desiredResources(build, codeOf(build), where)
  const of = (fn: string) =>
    JSON.parse(ofKind(desired, 'function').find((one) => one.function === fn)?.environment.FUSIONIZE ?? '')
  return { desired, of }
}

it('an entry starts ahead what all whom its requests come to would: of several delays the shortest, and it may call them', () => {
  const { desired, of } = told(({ functions: { front, cart, mail } }) => {
    Object.assign(front ?? {}, { prewarm: { cart: 0 } })
    Object.assign(cart ?? {}, { prewarm: { db: 40, front: 1 } })
    Object.assign(mail ?? {}, { prewarm: { db: 25 } })
  })
  expect(of('front').ahead).toEqual({ cart: 0, db: 25 })
  expect(of('cart')).not.toHaveProperty('ahead')
  const calls = ofKind(desired, 'role')
    .find(({ name }) => name === 'fusionize-shop-front')
    ?.policies.flatMap(({ document }) => document.Statement)
    .find(({ Sid }) => Sid === 'Calls')
  expect(calls?.Resource.map((arn) => arn.split(':')[6])).toEqual(
    ['cart', 'db', 'mail'].map((fn) => `fusionize-shop-${fn}`),
  )
  expect(Object.keys(of('front').functions)).toEqual(['cart', 'db', 'mail'])
})

it('does not start what no function is', () => {
  const { of } = told(({ functions: { front } }) => {
    front?.inline.call.push('cart')
    Object.assign(front ?? {}, { prewarm: { cart: 0 } })
  })
  expect(of('front')).not.toHaveProperty('ahead')
})

it('what goes through the store is known to its sender; other ways are payloads, and said to be', () => {
  const { desired, of } = told(({ functions: { front, cart } }) => {
    Object.assign(front ?? {}, { passing: { cart: 'store', mail: 'direct', db: 'local' } })
    Object.assign(cart ?? {}, { passing: { db: 'payload' } })
  })
  expect(of('front').store).toEqual(['cart'])
  expect(of('cart')).not.toHaveProperty('store')
  expect(desired.ignored).toEqual([
    expect.stringMatching(/does not have \(front to mail: direct\): it goes inside the call/),
  ])
  expect(told(() => {}).desired.ignored).toEqual([])
})
