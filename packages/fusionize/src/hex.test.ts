import { expect, it } from 'vitest'
import { hex8 } from './hex.js'

it('writes the low 32 bits as eight digits', () => {
  for (const n of [0, 1, 15, 16, 0x1234abcd, 0x7fffffff, 0x80000000, 0xffffffff])
    expect(hex8(n)).toBe(n.toString(16).padStart(8, '0'))
  expect(hex8(-1)).toBe('ffffffff')
  expect(hex8(2 ** 32 + 255)).toBe('000000ff')
  expect(hex8(1.9)).toBe('00000001')
})
