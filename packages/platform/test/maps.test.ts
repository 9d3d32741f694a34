import { type App, defaultSpec, type FunctionSpec } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { mapRequest } from '../src/build/maps.js'

const names = ['main', 'work', 'leaf', 'other']
const app: App = {
  name: 'maps',
  tasks: Object.fromEntries(names.map((name) => [name, { name, file: `${name}.ts`, line: 1 }])),
  edges: [
    { from: 'main', to: 'other', modes: ['call', 'send'] },
    { from: 'main', to: 'work', modes: ['map'] },
    { from: 'work', to: 'leaf', modes: ['call', 'send'] },
  ],
}
const inline = (modes: Partial<FunctionSpec['inline']>) => ({ inline: { call: [], send: [], map: [], ...modes } })
const requestOf = (fn: string, tasks: string[], spec: Partial<FunctionSpec> = {}, withBuckets: string[] = []) =>
  mapRequest({ app, withBuckets: new Set(withBuckets) }, fn, tasks, { ...defaultSpec(128), ...spec })

test('a function that neither maps nor is mapped over needs nothing', () => {
  expect(requestOf('other', ['other'])).toBeUndefined()
  expect(requestOf('leaf', ['leaf'], { bundle: { work: 5 }, parallel: 'threads' })).toBeUndefined()
  expect(requestOf('leaf', ['leaf'], { concurrency: 5 })).toBeUndefined()
})

test('bundles are those of maps that its tasks make', () => {
  expect(requestOf('main', ['main'], { bundle: { work: 5, other: 3 } })).toEqual({ bundle: { work: 5 } })
  expect(requestOf('main', ['main'], { bundle: { work: 1 } })).toEqual({})
})

test('a pool is for items that run here: of an inline map, and of bundles', () => {
  const mapped = inline({ map: ['work'] })
  expect(requestOf('main', ['main', 'work'], mapped)).toEqual({ poolable: ['work'] })
  expect(requestOf('work', ['work'])).toEqual({ poolable: ['work'] })
  expect(requestOf('work', ['work'], { parallel: 'processes' })).toEqual({ poolable: ['work'], parallel: 'processes' })
  expect(requestOf('work', ['work'], { parallel: 'loop' })).toEqual({ parallel: 'loop' })
})

test('no pool runs what does anything with a bucket, itself or in what it calls in the same function', () => {
  expect(requestOf('work', ['work'], {}, ['work'])).toEqual({})
  expect(requestOf('work', ['leaf', 'work'], inline({ call: ['leaf'] }), ['leaf'])).toEqual({})
  // A remote call and an inline send run elsewhere than the item.
  expect(requestOf('work', ['work'], {}, ['leaf'])).toEqual({ poolable: ['work'] })
  expect(requestOf('work', ['leaf', 'work'], inline({ send: ['leaf'] }), ['leaf'])).toEqual({ poolable: ['work'] })
})

test('whole invocations run in a pool where several share a sandbox and its setup says threads, unless it maps there', () => {
  const shared = { concurrency: 5, parallel: 'threads' } as const
  const whole = { poolable: ['leaf'], parallel: 'threads', spread: { whole: true } }
  expect(requestOf('leaf', ['leaf'], shared)).toEqual(whole)
  expect(requestOf('leaf', ['leaf'], { ...shared, parallel: 'processes' })).toBeUndefined()
  expect(requestOf('leaf', ['leaf'], shared, ['leaf'])).toBeUndefined()
  const mapped = inline({ map: ['work'] })
  expect(requestOf('main', ['main', 'work'], { ...shared, ...mapped })).toEqual({
    poolable: ['work'],
    parallel: 'threads',
  })
})

test('inline calls may be branches in processes of their own', () => {
  const called = inline({ call: ['leaf'] })
  const forks = { poolable: ['leaf', 'work'], parallel: 'processes', spread: { branches: ['leaf'] } }
  expect(requestOf('work', ['leaf', 'work'], { ...called, parallel: 'processes' })).toEqual(forks)
  expect(requestOf('work', ['leaf', 'work'], { ...called, parallel: 'threads' })?.spread).toBeUndefined()
  expect(requestOf('work', ['leaf', 'work'], { ...called, parallel: 'processes' }, ['leaf'])?.spread).toBeUndefined()
})
