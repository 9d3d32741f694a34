import { describe, expect, it } from 'vitest'
import { FusionizeError } from '../errors.js'
import { errorFromWire, errorToWire } from './wire-errors.js'

const cross = (thrown: unknown) => errorFromWire(JSON.parse(JSON.stringify(errorToWire(thrown))), 'caller') as Error

describe('an error that crosses a task boundary', () => {
  it('keeps name, message, code, cause and properties', () => {
    const error = Object.assign(new RangeError('too far', { cause: new TypeError('root') }), {
      code: 'E_FAR',
      at: { x: 1 },
    })
    const crossed = cross(error)
    expect(crossed).toBeInstanceOf(RangeError)
    expect(crossed).toMatchObject({ name: 'RangeError', message: 'too far', code: 'E_FAR', at: { x: 1 } })
    expect(crossed.cause).toBeInstanceOf(TypeError)
    expect((crossed.cause as Error).message).toBe('root')
  })

  it('is an Error of the same name when the class is not built in', () => {
    class CardDeclined extends Error {
      override name = 'CardDeclined'
    }
    expect(cross(new CardDeclined('no'))).toMatchObject({ name: 'CardDeclined', message: 'no' })
    expect(cross(new CardDeclined('no'))).toBeInstanceOf(Error)
  })

  it('shows the stacks of both sides', () => {
    const stack = cross(new Error('deep')).stack as string
    expect(stack).toMatch(/Error: deep\n\s+at /)
    expect(stack).toContain("called by task 'caller'")
  })

  it('keeps FusionizeError with code and details', () => {
    expect(cross(new FusionizeError('TIMEOUT', 'late', { task: 'x' }))).toMatchObject({
      name: 'FusionizeError',
      code: 'TIMEOUT',
      details: { task: 'x' },
    })
  })

  it('keeps the errors of an AggregateError', () => {
    const crossed = cross(new AggregateError([new TypeError('a'), new Error('b')], 'two')) as AggregateError
    expect(crossed).toBeInstanceOf(AggregateError)
    expect(crossed.errors.map(String)).toEqual(['TypeError: a', 'Error: b'])
  })

  it('survives what is thrown but is no Error, properties that JSON cannot say, and endless causes', () => {
    expect(cross('text')).toBe('text')
    expect(cross({ a: 1 })).toEqual({ a: 1 })
    expect(cross(undefined)).toBeUndefined()
    expect(cross(Object.assign(new Error('x'), { big: 1n, fn() {} })).message).toBe('x')
    const loop = new Error('loop')
    loop.cause = loop
    expect(cross(loop).message).toBe('loop')
  })
})
