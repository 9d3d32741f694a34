import { expect, test } from 'vitest'
import { fusionize, makeApp, shop } from './support/fusionize.js'

test('simulate tells from what was recorded what setups would do, the same for the same seed', async () => {
  const dir = await makeApp(shop)
  const nothing = await fusionize(['simulate'], dir)
  expect(nothing).toMatchObject({ code: 1, stdout: '' })
  expect(nothing.stderr).toContain('nothing was recorded')
  for (const name of ['Ada', 'Grace', 'Edsger']) await fusionize(['invoke', 'greet', JSON.stringify(name)], dir)

  const line = ['simulate', 'current', 'all-fused', '--rate', '5', '--requests', '500', '--json']
  const { code, stdout } = await fusionize(line, dir)
  expect(code).toBe(0)
  const document = JSON.parse(stdout)
  expect(document).toMatchObject({ seed: 1, load: { kind: 'poisson', rps: 5, requests: 500 } })
  const [current, fused] = document.setups
  expect(current).toMatchObject({ name: 'current', requests: 500, stuck: 0, latency: { n: 500 } })
  expect(current.invocationsPerRequest).toBeGreaterThan(fused.invocationsPerRequest)
  expect((await fusionize(line, dir)).stdout).toBe(stdout)
  expect((await fusionize([...line, '--seed', '2'], dir)).stdout).not.toBe(stdout)

  const cold = await fusionize(
    ['simulate', '(greet, title)@256-(note)@128-(reverse)@128', '--burst', '5..20', '--forced-cold'],
    dir,
  )
  expect(cold.stdout).toMatch(/5 to 20 requests\/s in steps of 5/)
  expect(cold.stdout).toMatch(/100\.0%/)
})

test('simulate refuses what is no load and what is no setup', async () => {
  const dir = await makeApp(shop)
  const wrong = async (...args: string[]) => {
    const { code, stderr } = await fusionize(['simulate', ...args], dir)
    return [code, stderr] as const
  }
  expect(await wrong('--burst', '40..5')).toEqual([2, expect.stringContaining('the lower first, as in 5..40')])
  expect(await wrong('--burst', '5..40', '--rate', '3')).toEqual([2, expect.stringContaining('without --rate')])
  expect(await wrong('curent')).toEqual([1, expect.stringMatching(/'curent' is no setup.*'current'/)])
  expect(await wrong('(nobody)@128')).toEqual([1, expect.stringContaining('nobody')])
})
