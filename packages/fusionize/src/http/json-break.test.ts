import fc from 'fast-check'
import { expect, it } from 'vitest'
import { jsonBreak } from './json-break.js'

const parses = (text: string) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

it.each([
  ['', 0],
  ['{"a": x}', 6],
  ['{"a": 1 x}', 8],
  ['{"a" 1}', 5],
  ['[1,]', 3],
  ['{"a":1,}', 7],
  ['"a\nb"', 2],
  ['"\\x"', 2],
  ['"\\u12g4"', 5],
  ['01', 1],
  ['-', 1],
  ['1.', 2],
  ['1e+', 3],
  ['nul', 3],
  ['nuxl', 2],
  ['{"a":[1', 7],
  ['1 2', 2],
  ['\ufeff1', 0],
])('finds where %j stops being JSON: %i', (text, at) => {
  expect(parses(text)).toBe(false)
  expect(jsonBreak(text)).toBe(at)
})

it('agrees with the parser on what is JSON, and what stands before the break could have become JSON', () => {
  const damaged = fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', '"', ',', '}', ']', ':', '\\', '-', '0', '.', 'e', 'x', ' ', '\n', '{'),
    )
    .map(([json, n, char]) => {
      const at = n % (json.length + 1)
      return json.slice(0, at) + char + json.slice(at + (n % 2))
    })
  const soup = fc.string({ unit: fc.constantFrom(...'{}[]:,"\\ux1-+.e0 tnrul\n') })
  fc.assert(
    fc.property(fc.oneof(damaged, soup, fc.json(), fc.string()), (text) => {
      const at = jsonBreak(text)
      expect(at === -1).toBe(parses(text))
      if (at === -1) return
      const before = jsonBreak(text.slice(0, at))
      expect([-1, at]).toContain(before)
      if (at < text.length) expect(jsonBreak(text.slice(0, at + 1))).toBe(at)
    }),
    { numRuns: 3000 },
  )
})
