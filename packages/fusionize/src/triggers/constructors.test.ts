import { expect, test } from 'vitest'
import { FusionizeError } from '../errors.js'
import {
  byBatchSize,
  byName,
  bySet,
  byTime,
  custom,
  dynamicGroup,
  dynamicJoin,
  immediate,
  redundant,
} from './constructors.js'

const step = (state: null) => ({ state })

test('a spec is JSON and has its defaults in it', () => {
  const specs = [
    immediate(),
    byName('total', { delivers: 'keys' }),
    bySet(['a', 'b'], { onIncomplete: 'report' }),
    byBatchSize(10),
    byTime(1_000, { empty: true }),
    redundant(2, 3, { cancel: true }),
    dynamicJoin(),
    dynamicGroup(),
  ]
  expect(JSON.parse(JSON.stringify(specs))).toEqual([
    { kind: 'immediate', delivers: 'objects' },
    { kind: 'byName', key: 'total', delivers: 'keys' },
    { kind: 'bySet', keys: ['a', 'b'], delivers: 'objects', onIncomplete: 'report' },
    { kind: 'byBatchSize', n: 10, scope: 'application', delivers: 'objects' },
    { kind: 'byTime', ms: 1_000, empty: true, delivers: 'objects' },
    { kind: 'redundant', k: 2, n: 3, cancel: true, delivers: 'objects' },
    { kind: 'dynamicJoin', delivers: 'objects' },
    { kind: 'dynamicGroup', scope: 'session', delivers: 'objects' },
  ])
  expect(JSON.parse(JSON.stringify(custom('mine', { scope: 'session', initial: null, step })))).toEqual({
    kind: 'custom',
    name: 'mine',
    scope: 'session',
    initial: null,
    delivers: 'objects',
  })
})

test.each<[string, () => unknown, string]>([
  ['no key', () => byName(''), 'text that is not empty'],
  ['an empty set', () => bySet([]), 'name at least one'],
  ['a repeated key', () => bySet(['a', 'b', 'a']), "key 'a' is there twice; name each key once"],
  ['an empty key in a set', () => bySet(['a', '']), 'text that is not empty'],
  ['a batch of none', () => byBatchSize(0), '1 or more'],
  ['half a batch', () => byBatchSize(2.5), 'whole number'],
  ['no waiting time', () => byBatchSize(2, { maxWaitMs: 0 }), 'milliseconds, 1 or more'],
  ['an unknown scope', () => byBatchSize(2, { scope: 'global' as 'session' }), "'session' or 'application'"],
  [
    'an incomplete batch that flush sends',
    () => byBatchSize(2, { scope: 'session', flush: true, onIncomplete: 'x' }),
    'one of them',
  ],
  ['onIncomplete across sessions', () => byBatchSize(2, { onIncomplete: 'x' }), "needs scope 'session'"],
  ['no window', () => byTime(0), 'milliseconds, 1 or more'],
  ['a negative window', () => byTime(-5), 'milliseconds, 1 or more'],
  ['an endless window', () => byTime(Number.POSITIVE_INFINITY), 'milliseconds, 1 or more'],
  ['k above n', () => redundant(3, 2), 'k comes first'],
  ['no k', () => redundant(0, 2), '1 or more'],
  [
    'onIncomplete across groups',
    () => dynamicGroup({ scope: 'application', onIncomplete: 'x' }),
    "needs scope 'session'",
  ],
  ['no step', () => custom('x', { scope: 'session', initial: null } as never), 'has no step'],
  [
    'no initial state',
    () => custom('x', { scope: 'session', initial: undefined as unknown as null, step }),
    'give null',
  ],
  ['a misspelt option', () => byTime(5, { emty: true } as never), "did you mean 'empty'?"],
  ['an option of another trigger', () => immediate({ onIncomplete: 'x' } as never), "unknown option 'onIncomplete'"],
  ['an unknown delivery', () => immediate({ delivers: 'values' as 'keys' }), "'objects' or 'keys'"],
  ['a switch that is a text', () => byTime(5, { empty: 'no' as never }), 'true or false'],
])('%s is refused with a remedy', (_, make, remedy) => {
  let error: unknown
  try {
    make()
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(FusionizeError)
  expect(error).toMatchObject({ code: 'INVALID_CONFIG' })
  expect((error as Error).message).toContain(remedy)
})
