import { describe, expect, it } from 'vitest'
import { createEmulation } from './index.js'

const many = (draw: () => number) => Array.from({ length: 4000 }, draw).sort((a, b) => a - b)

describe('the emulation of AWS Lambda', () => {
  it('draws the same delays for the same seed, call for call', () => {
    const draws = (seed: number) => {
      const e = createEmulation('aws-lambda', seed)
      return Array.from({ length: 50 }, (_, i) => [e.handOverMs(i % 2 ? 'call' : 'send', 128), e.startUp(1e5)])
    }
    expect(draws(7)).toEqual(draws(7))
    expect(draws(7)).not.toEqual(draws(8))
  })

  it('has the measured quantiles, and smaller delays for larger callers', () => {
    const e = createEmulation('aws-lambda', 1)
    const median = (mode: 'call' | 'send', mb: number) => many(() => e.handOverMs(mode, mb))[2000] as number
    expect(median('call', 128)).toBeCloseTo(54, -1)
    expect(median('send', 128)).toBeCloseTo(98, -1)
    expect(median('send', 2048)).toBeCloseTo(25, -1)
    expect(median('call', 256)).toBeLessThan(median('call', 128))
    expect(median('call', 256)).toBeGreaterThan(median('call', 768))
    expect(median('call', 10240)).toBeCloseTo(24, -1)
  })

  it('bills INIT by the size of the artifact and the rest of a start-up not at all', () => {
    const e = createEmulation('aws-lambda', 1)
    expect(e.startUp(500).initMs).toBe(159)
    expect(e.startUp(4e6).initMs).toBe(262)
    expect(e.startUp(1e9).initMs).toBe(3110)
    const totals = many(() => {
      const { provisionMs, initMs } = e.startUp(1e3)
      return provisionMs + initMs
    })
    expect(totals[2000]).toBeGreaterThan(800)
    expect(totals[2000]).toBeLessThan(900)
  })

  it('says what it can emulate', () => {
    expect(() => createEmulation('mainframe', 1)).toThrow("known: 'aws-lambda'")
  })
})
