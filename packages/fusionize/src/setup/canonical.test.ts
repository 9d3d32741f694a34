import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appWithSetups } from '../../test/arbitraries.js'
import { canonical, defaultSpec, type FunctionSpec, type FusionSetup, setupId, setupsEqual } from './index.js'

const pair = (spec: Partial<FunctionSpec>, both: Partial<FunctionSpec> = {}): FusionSetup => ({
  functions: { a: { ...defaultSpec(128), ...both, ...spec }, b: { ...defaultSpec(256), ...both } },
})

test('the canonical form of a setup is fixed, so that ids outlive versions', () => {
  const spec = (parallel: string) =>
    `"inline":{"call":[],"send":[],"map":[]},"bundle":{},"buckets":[],"concurrency":1,${parallel}"passing":{},"prewarm":{}`
  const text = (fields: string) => `{"functions":{"a":{"memory":128,${fields}},"b":{"memory":256,${fields}}}}`
  expect(canonical(pair({}))).toBe(text(spec('')))
  expect(setupId(pair({}))).toBe('a6bffda13834')
  const loop = pair({}, { parallel: 'loop' })
  expect(canonical(loop)).toBe(text(spec('"parallel":"loop",')))
  expect(setupId(loop)).toBe('b4bb08c4065a')
})

test('the id does not depend on the order of keys, tasks or lists, nor on duplicates', () => {
  fc.assert(
    fc.property(appWithSetups(1), fc.integer(), ({ setups: [setup] }, seed) => {
      expect(setupId(shuffled(setup as FusionSetup, seed))).toBe(setupId(setup as FusionSetup))
    }),
  )
})

test('two setups have one id exactly when they are equal', () => {
  fc.assert(
    fc.property(appWithSetups(2), ({ setups: [a, b] }) => {
      expect(setupId(a as FusionSetup) === setupId(b as FusionSetup)).toBe(
        setupsEqual(a as FusionSetup, b as FusionSetup),
      )
    }),
  )
})

test('stating a default changes nothing', () => {
  expect(setupsEqual(pair({ bundle: { b: 1 }, passing: { b: 'payload' } }), pair({}))).toBe(true)
})

test.each<[string, Partial<FunctionSpec>]>([
  ['memory', { memory: 129 }],
  ['an inline call', { inline: { call: ['b'], send: [], map: [] } }],
  ['an inline send', { inline: { call: [], send: ['b'], map: [] } }],
  ['an inline map', { inline: { call: [], send: [], map: ['b'] } }],
  ['a bundle', { bundle: { b: 2 } }],
  ['a bucket', { buckets: ['b'] }],
  ['concurrency', { concurrency: 2 }],
  ['parallel', { parallel: 'threads' }],
  ['the event loop by name', { parallel: 'loop' }],
  ['passing', { passing: { b: 'store' } }],
  ['prewarming at once', { prewarm: { b: 0 } }],
])('%s makes another setup', (_, spec) => {
  expect(setupsEqual(pair(spec), pair({}))).toBe(false)
})

/** The same setup with keys and lists in reverse, or with every list item twice. */
function shuffled(setup: FusionSetup, seed: number): FusionSetup {
  const turn = <T>(items: T[]): T[] => (seed % 2 === 0 ? [...items].reverse() : [...items, ...items])
  const deep = (value: unknown): unknown => {
    if (Array.isArray(value)) return turn(value)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, deep(inner)]),
    )
  }
  return deep(setup) as FusionSetup
}
