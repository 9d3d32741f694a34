import { expect, test } from 'vitest'
import { app } from '../../../test/support/outcome.js'
import { randomOf } from './random.js'
import { loadRequests } from './requests.js'

const request = (index: number, random: () => number) => ({
  task: 'checkout',
  input: { index, items: Array.from({ length: 1 + Math.floor(random() * 4) }, () => Math.floor(random() * 1000)) },
})

test('every setup gets the same requests, in whatever portions they are made', () => {
  const all = loadRequests(app, request, 0, 40)
  expect(loadRequests(app, request, 0, 40)).toEqual(all)
  expect([...loadRequests(app, request, 0, 15), ...loadRequests(app, request, 15, 25)]).toEqual(all)
  expect(all[0]).toMatchObject({ method: 'POST', path: '/checkout' })
  expect(JSON.parse(all[7]?.body ?? '')).toMatchObject({ index: 7 })
})

test('the random numbers of neighbouring requests have nothing in common', () => {
  const firsts = Array.from({ length: 2000 }, (_, i) => randomOf(1, i)())
  const mean = firsts.reduce((a, b) => a + b) / firsts.length
  expect(mean).toBeGreaterThan(0.45)
  expect(mean).toBeLessThan(0.55)
  expect(new Set(firsts).size).toBe(2000)
  const steps = firsts.slice(1).map((x, i) => (x - mean) * ((firsts[i] as number) - mean))
  expect(Math.abs(steps.reduce((a, b) => a + b) / steps.length)).toBeLessThan(0.01)
})

test('an app without a load is told what to write', () => {
  expect(() => loadRequests(app, undefined, 0, 1)).toThrow(/load\.request.*checkout/)
})

test('a load that asks for a task which is no entry is told the entries', () => {
  expect(() => loadRequests(app, () => ({ task: 'cart', input: 1 }), 0, 1)).toThrow(/'cart'.*no http option.*checkout/)
  expect(() => loadRequests(app, () => ({ task: 'chekout', input: 1 }), 0, 1)).toThrow(/did you mean 'checkout'/)
})

test('inputs go where the gateway reads them: path, query or body', () => {
  const entry = (method: string, path: string) => ({
    ...app,
    tasks: { ...app.tasks, cart: { name: 'cart', file: 'tasks/cart.ts', line: 1, http: { method, path } } },
  })
  const wire = (method: string, path: string, input: unknown) =>
    loadRequests(entry(method, path), () => ({ task: 'cart', input }), 0, 1)[0]
  expect(wire('GET', '/carts/:id', { id: 'a b', full: true })).toEqual({
    method: 'GET',
    path: '/carts/a%20b?full=true',
  })
  expect(wire('PUT', '/carts/:id', { id: 7, items: [1] })).toEqual({
    method: 'PUT',
    path: '/carts/7',
    body: '{"items":[1]}',
  })
  expect(wire('POST', '/carts', [1, 2])).toEqual({ method: 'POST', path: '/carts', body: '[1,2]' })
  expect(wire('POST', '/carts', undefined)).toEqual({ method: 'POST', path: '/carts' })
})
