import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appOf } from '../../test/apps.js'
import { appWithSetups } from '../../test/arbitraries.js'
import { changes, diff, effectiveSetup, type FusionSetup, parseSetup, setupsEqual } from './index.js'

const app = appOf({ ingest: 'POST /' }, [
  'ingest send analyze',
  'analyze call sound',
  'sound call level',
  'sound send store',
])

test('there is nothing to say exactly when two setups are equal', () => {
  fc.assert(
    fc.property(appWithSetups(2), fc.boolean(), ({ setups: [a, b] }, same) => {
      const other = (same ? structuredClone(a) : b) as FusionSetup
      expect(diff(a as FusionSetup, other).length === 0).toBe(setupsEqual(a as FusionSetup, other))
    }),
  )
})

test('with an app there is nothing to say exactly when two setups have one effect', () => {
  fc.assert(
    fc.property(appWithSetups(2), ({ app, setups: [a, b] }) => {
      const sameEffect = setupsEqual(effectiveSetup(app, a as FusionSetup), effectiveSetup(app, b as FusionSetup))
      expect(diff(a as FusionSetup, b as FusionSetup, app).length === 0).toBe(sameEffect)
    }),
  )
})

test('every function and callee that differs is named', () => {
  fc.assert(
    fc.property(appWithSetups(2), ({ setups: [a, b] }) => {
      for (const change of changes(a as FusionSetup, b as FusionSetup)) {
        expect(change.text).toContain(change.function)
        expect(change.text).toContain(change.to ?? '')
      }
    }),
  )
})

test('routes, memory and functions change in words', () => {
  const before = parseSetup('(ingest)@128-(analyze)@128-(sound)@128-(level)@128-(store)@128', app)
  const after = parseSetup('(ingest)@128-(analyze, sound, level)@768-(store)@128', app)
  expect(diff(before, after, app)).toEqual([
    'sound (in analyze) now calls level inline',
    'analyze now calls sound inline',
    'analyze: memory 128 → 768 MB',
    'level no longer needs a function of its own',
    'sound no longer needs a function of its own',
  ])
  expect(diff(after, before, app)).toEqual([
    'sound (in analyze) now calls level remotely',
    'analyze now calls sound remotely',
    'analyze: memory 768 → 128 MB',
    'level now has a function of its own: (level)@128',
    'sound now has a function of its own: (sound)@128',
  ])
})

test('functions that come or go are said last', () => {
  const said = diff(parseSetup('(b)@128-(c)@128'), parseSetup('(a)@128-(b)@256'))
  expect(said).toEqual([
    'b: memory 128 → 256 MB',
    'a now has a function of its own: (a)@128',
    'c no longer needs a function of its own',
  ])
})

test('without an app the function stands for whichever of its tasks makes the call', () => {
  expect(diff(parseSetup('(a, b:call)@128-(b)@128'), parseSetup('(a, b:send+map)@128-(b)@128'))).toEqual([
    'a now calls b remotely',
    'a now sends to b inline',
    'a now maps over b inline',
  ])
})

test('several tasks that make the same call are all named', () => {
  const shared = appOf({ a: 'GET /' }, ['a call b', 'a send c', 'b send c'])
  const before = parseSetup('(a, b)@128-(c)@128', shared)
  expect(diff(before, parseSetup('(a, b, c)@128', shared), shared)).toContain('a and b (in a) now send to c inline')
})

test('every other setting changes in words', () => {
  const before = parseSetup('(a | old)@128[bundle b 5, pass b store, prewarm b 10ms]-(b)@128')
  const after = parseSetup('(a | new)@128[concurrency 8, threads, pass b direct, prewarm b 20ms]-(b)@128')
  expect(diff(before, after)).toEqual([
    'a: 1 → 8 requests at a time per sandbox',
    'a: items of maps where they are faster → threads',
    'a no longer evaluates the triggers of bucket old',
    'a now evaluates the triggers of bucket new',
    'a now maps over b with 1 item per invocation',
    'a now hands data to b by direct',
    "a now prewarms b 20 ms after a request's arrival",
  ])
  expect(diff(parseSetup('(a)@128[prewarm b 0ms]-(b)@128'), parseSetup('(a)@128-(b)@128'))).toEqual([
    'a now does not prewarm b',
  ])
})

test('a bucket that a function begins to evaluate says what it then starts there', () => {
  const parts = appOf({ a: 'POST /' }, ['a send c'], { parts: { from: ['a'], to: ['b', 'c'] } })
  const before = parseSetup('(a)@128-(b)@128-(c)@128', parts)
  const after = parseSetup('(a, b, c | parts)@128', parts)
  expect(diff(before, after, parts)).toEqual([
    'b now runs in a when bucket parts starts it',
    'a now sends to c inline',
    'a now evaluates the triggers of bucket parts',
    'b no longer needs a function of its own',
    'c no longer needs a function of its own',
  ])
  expect(diff(after, before, parts)).toContain('b no longer runs in a when bucket parts starts it')
})
