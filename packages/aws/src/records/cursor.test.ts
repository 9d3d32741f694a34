import { expect, it } from 'vitest'
import { readCursor, skipTo, writeCursor } from './cursor.js'

it('goes on where reading ended, but no earlier than it is told, and begins there with what was never read', () => {
  const since = writeCursor({ a: { from: 5, seen: ['x'] }, b: { from: 20, seen: [] }, gone: { from: 1, seen: [] } })
  expect(readCursor(skipTo(['a', 'b', 'c'], since, 10))).toEqual({
    a: { from: 10, seen: ['x'] },
    b: { from: 20, seen: [] },
    c: { from: 10, seen: [] },
  })
  expect(readCursor(skipTo(['a'], undefined, 7))).toEqual({ a: { from: 7, seen: [] } })
})
