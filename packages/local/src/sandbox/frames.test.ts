import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader, writeFrame } from './frames.js'
import { type Head, type Part, Utf8 } from './messages.js'

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: 'binary' }),
  fc.uint8Array(),
  fc.integer({ min: 16_000, max: 40_000 }).map((n) => 'ü'.repeat(n)),
  fc.integer({ min: 16_000, max: 40_000 }).map((n) => new Uint8Array(n).fill(n)),
)
const head: fc.Arbitrary<Head> = fc
  .tuple(fc.nat(30), fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null))))
  .map(([kind, rest]) => [kind, ...rest])
const message = fc.tuple(head, fc.array(part, { maxLength: 4 }))

/** Writes the messages, cuts the stream where `cuts` say, and reads it. */
function transmit(messages: [Head, Part[]][], cuts: number[], keepText: boolean): [Head, Part[]][] {
  const buffers: Uint8Array[] = []
  for (const [h, parts] of messages) writeFrame(buffers, h, parts)
  const stream = Buffer.concat(buffers)
  const received: [Head, Part[]][] = []
  const reader = new FrameReader(keepText, (h, parts) => received.push([h, parts]))
  const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const to of [...places, stream.length]) {
    if (to > from) reader.push(stream.subarray(from, to))
    from = Math.max(from, to)
  }
  return received
}

test('messages arrive as they were sent, wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(200_000), { maxLength: 12 }), (messages, cuts) => {
      const received = transmit(messages, cuts, false)
      expect(received.map(([h]) => h)).toEqual(messages.map(([h]) => h))
      for (const [i, [, parts]] of received.entries()) same(parts, messages[i]?.[1] as Part[])
    }),
    { numRuns: 60 },
  )
})

test('a message has as many parts as its sender likes', () => {
  const parts = Array.from({ length: 70_000 }, (_, i) => String(i))
  expect(
    transmit(
      [
        [[1], parts],
        [[2], []],
      ],
      [],
      false,
    ),
  ).toEqual([
    [[1], parts],
    [[2], []],
  ])
})

test('text that is only passed on leaves as it came', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
      const passed = transmit(messages, [], true)
      for (const [, parts] of passed) expect(parts.some((one) => typeof one === 'string')).toBe(false)
      const arrived = transmit(passed, [], false)
      for (const [i, [, parts]] of arrived.entries()) same(parts, messages[i]?.[1] as Part[])
    }),
    { numRuns: 40 },
  )
})

function same(actual: Part[], expected: Part[]): void {
  expect(actual.length).toBe(expected.length)
  for (const [i, one] of actual.entries()) {
    const other = expected[i]
    expect(one instanceof Utf8).toBe(false)
    if (one instanceof Uint8Array && other instanceof Uint8Array) expect(Buffer.compare(one, other)).toBe(0)
    else if (typeof one === 'string') expect(one === wellFormed(other)).toBe(true)
    else expect(one).toBe(other)
  }
}

/** UTF-8 has no lone surrogates; JSON text never holds one. */
function wellFormed(text: Part): Part {
  return typeof text === 'string' ? text.toWellFormed() : text
}
