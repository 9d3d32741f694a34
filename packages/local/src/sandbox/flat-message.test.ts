import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FlatMessage } from './flat-message.js'

const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double(),
  fc.constantFrom(true, false, null, undefined, -0, 2 ** 31, Number.MAX_SAFE_INTEGER),
)
const { flat } = fc.letrec((tie) => ({
  flat: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('flat'), { maxLength: 6 })),
}))

test('a message comes back as it went', () => {
  const one = new FlatMessage()
  fc.assert(
    fc.property(flat, (value) => {
      fc.pre(one.encode(value))
      expect(one.decode()).toStrictEqual(value)
    }),
  )
})

test('what is no text, and what is too much, is refused, and the next is not', () => {
  const one = new FlatMessage()
  for (const value of [new Uint8Array(2), { a: 1 }, 1n, new Array(300).fill(1)]) {
    expect(one.encode([[1, 'a'], value])).toBe(false)
    expect(one.encode([['b', 2]])).toBe(true)
    expect(one.decode()).toEqual([['b', 2]])
  }
})
