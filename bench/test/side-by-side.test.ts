import type { Evidence, Lab } from '@fusionize/cli/control'
import type { FusionSetup } from 'fusionize/setup'
import { expect, it } from 'vitest'
import { deploySideBySide } from '../src/load/side-by-side.js'

const setups = ['first', 'a', 'b'].map((name) => ({ functions: {}, name }) as unknown as FusionSetup)
const nameOf = (setup: FusionSetup) => (setup as unknown as { name: string }).name

/** What is asked of a platform and a lab, in words. */
function watched() {
  const asked: string[] = []
  const lab = {
    async serve(setup) {
      asked.push(`serve ${nameOf(setup)}`)
      return nameOf(setup)
    },
    async measure(arrivals, firstIndex) {
      asked.push(`${arrivals.length} requests from ${firstIndex}`)
      return { samples: [], records: [] } satisfies Evidence
    },
  } as Partial<Lab> as Lab
  const platform = {
    async traffic(weights: Record<string, number>) {
      const [most] = Object.entries(weights).sort(([, a], [, b]) => b - a)
      expect(Object.values(weights).every((weight) => weight > 0)).toBe(true)
      asked.push(`to ${most?.[0]} of ${Object.keys(weights).length}`)
    },
  }
  return { asked, options: { lab, platform, clear: () => asked.push('clear') } }
}

it('deploys all before any is warmed up, and keeps all while one has its slice', async () => {
  const { asked, options } = watched()
  const [first, a, b] = setups as [FusionSetup, FusionSetup, FusionSetup]
  const { slice } = await deploySideBySide(first, [a, b], {
    ...options,
    warmUp: { arrivals: [0, 1, 2, 3, 4], firstIndex: 900 },
  })
  expect(asked.splice(0)).toEqual([
    ...['serve first', 'serve a', 'serve b'],
    ...['to a of 2', 'clear', '5 requests from 900', 'to b of 2', 'clear', '5 requests from 900'],
  ])
  const load = { arrivals: [0, 1, 2], firstIndex: 30 }
  await slice(b, load)
  await slice(a, load)
  expect(asked).toEqual(['to b of 2', 'clear', '3 requests from 30', 'to a of 2', 'clear', '3 requests from 30'])
})
