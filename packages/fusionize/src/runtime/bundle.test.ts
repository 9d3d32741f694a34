import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bundleId, decodeList, encodeList, itemsIn } from './bundle.js'
import { childId } from './frames.js'
import type { Payload } from './protocol.js'
import { encode } from './wire.js'

const textArbitrary = fc
  .oneof(fc.json(), fc.string({ unit: 'grapheme' }), fc.constant('\ud800 \u2028'))
  .map((value) => encode(value) as string)
const payloadArbitrary: fc.Arbitrary<Payload> = fc.oneof(
  { weight: 4, arbitrary: textArbitrary },
  { weight: 1, arbitrary: fc.uint8Array() },
  { weight: 1, arbitrary: fc.constant(undefined) },
)

test('a list comes out of a bundle as it went in', () => {
  fc.assert(
    fc.property(fc.array(payloadArbitrary, { minLength: 1, maxLength: 6 }), (payloads) => {
      expect(decodeList(encodeList(payloads))).toEqual(payloads)
    }),
    { seed: 3, numRuns: 500 },
  )
})

test('text alone stays text; with bytes it is one array of bytes, of which nobody gets a view', () => {
  expect(encodeList(['1', undefined, '""'])).toBe('1,-1,2\n1""')
  const sent = encodeList([new Uint8Array([1, 2]), 'true']) as Uint8Array
  const [bytes] = decodeList(sent)
  sent.fill(0)
  expect(bytes).toEqual(new Uint8Array([1, 2]))
  expect((bytes as Uint8Array).buffer.byteLength).toBe(2)
})

test('the id of a bundle says how many items it has, and no other id of a call does', () => {
  expect(itemsIn(bundleId('r.1', 12))).toBe(12)
  for (const id of ['r.1', 'from*outside.3', childId('x*4'.repeat(80), 2)]) expect(itemsIn(id)).toBe(0)
})
