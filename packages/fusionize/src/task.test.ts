import { describe, expect, it } from 'vitest'
import { task } from './task.js'
import { drained } from './testing.js'

describe('a task outside a function', () => {
  it('just runs, with copies at its boundary as everywhere', async () => {
    const add = task('add', async (x: { a: number; b: number }) => {
      const sum = x.a + x.b
      x.a = 0
      return { sum }
    })
    const input = { a: 1, b: 2 }
    expect(await add(input)).toEqual({ sum: 3 })
    expect(input.a).toBe(1)
    expect(await add.map([input, { a: 5, b: 5 }])).toEqual([{ sum: 3 }, { sum: 10 }])
  })

  it('runs what it sends later; drained() waits for it', async () => {
    const steps: string[] = []
    const mail = task('mail', async (to: string) => void steps.push(to))
    const order = task('order', async () => {
      await mail.send('inner')
      steps.push('replied')
    })
    await mail.send('outer')
    await order()
    expect(steps[0]).toBe('replied')
    await drained()
    expect(steps.sort()).toEqual(['inner', 'outer', 'replied'])
  })

  it('drained() tells what sends failed with', async () => {
    const bad = task('bad', async (n: number) => {
      throw new Error(`bad ${n}`)
    })
    await bad.send(1)
    await expect(drained()).rejects.toThrow('bad 1')
    await bad.send(1)
    await bad.send(2)
    await expect(drained()).rejects.toBeInstanceOf(AggregateError)
    await drained()
  })

  it('has its time limit', async () => {
    const slow = task('slow', { timeout: 5 }, async () => new Promise<void>(() => {}))
    await expect(slow()).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('refuses bad names and unknown options', () => {
    expect(() => task('Bad Name', async () => {})).toThrow('lower-case')
    // @ts-expect-error an unknown option does not compile either
    expect(() => task('x', { timout: 5 }, async () => {})).toThrow("unknown option 'timout'")
    // @ts-expect-error no code
    expect(() => task('x', {})).toThrow('no code')
  })
})
