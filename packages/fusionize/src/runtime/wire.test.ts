import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copiedBytes, copy, decode, encode } from './wire.js'

const values = fc.oneof(
  fc.jsonValue({ maxDepth: 5 }),
  fc.object({
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: false,
    withSparseArray: true,
    maxDepth: 3,
  }),
  fc.uint8Array(),
)

describe('copy', () => {
  it('gives what the wire would give, for any value that JSON can carry', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(copy(value)).toStrictEqual(decode(encode(value)))
      }),
      {
        examples: [
          [{ a: undefined, b: [undefined] }],
          [-0],
          [Number.NaN],
          [{ d: new Date(0) }],
          [JSON.parse('{"__proto__":{"x":1}}')],
          [new Array(2)],
          ['\ud800'],
        ],
      },
    )
  })

  it('shares nothing with the original', () => {
    const inner = { n: 1 }
    const copied = copy({ list: [inner] }) as { list: { n: number }[] }
    for (const item of copied.list) item.n = 5
    expect(inner.n).toBe(1)
    const bytes = new Uint8Array([1, 2])
    ;(copy(bytes) as Uint8Array)[0] = 9
    expect(bytes[0]).toBe(1)
  })

  it('estimates the size on the wire: exact for whole numbers, words and plain structure', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^[a-z]{1,5}$/),
          fc.array(fc.integer({ min: -99999, max: 99999 }), { minLength: 1 }),
          { minKeys: 1 },
        ),
        (value) => {
          copy(value)
          const exact = JSON.stringify(value).length
          expect(Math.abs(copiedBytes - exact)).toBeLessThanOrEqual(1 + Object.keys(value).length)
        },
      ),
    )
  })

  it('says what cannot travel, on both ways alike', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    for (const value of [cycle, { big: 1n }, () => 1, Symbol('x')]) {
      expect(() => copy(value)).toThrowError(expect.objectContaining({ code: 'NOT_SERIALIZABLE' }))
      expect(() => encode(value)).toThrowError(expect.objectContaining({ code: 'NOT_SERIALIZABLE' }))
    }
  })

  it('survives depths at which recursion would not', () => {
    let deep: unknown = 1
    for (let i = 0; i < 1000; i++) deep = [deep]
    expect(copy(deep)).toEqual(decode(encode(deep)))
  })
})
