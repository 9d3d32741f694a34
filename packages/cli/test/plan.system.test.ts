import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { fusionize, makeApp, shop } from './support/fusionize.js'

test('plan finds the setup for a goal from what was recorded, and adopts it when asked to', async () => {
  const dir = await makeApp(shop)
  const nothing = await fusionize(['plan', '--p95', '1s'], dir)
  expect(nothing).toMatchObject({ code: 1, stdout: '' })
  expect(nothing.stderr).toContain('nothing was recorded')
  for (const name of ['Ada', 'Grace', 'Edsger', 'Barbara'])
    await fusionize(['invoke', 'greet', JSON.stringify(name)], dir)

  const { code, stdout } = await fusionize(['plan', '--p95', '30s', '--json', '--adopt'], dir)
  expect(code).toBe(0)
  const { now, plan, goal, requests } = JSON.parse(stdout)
  expect(goal).toEqual({ minimize: 'cost', subjectTo: { p95Ms: 30_000 } })
  expect(requests).toBe(4)
  expect(plan).toMatchObject({ name: 'plan', feasible: true, figures: { p95Ms: { n: 4 } } })
  expect(plan.figures.invocationsPerRequest).toBeLessThan(now.figures.invocationsPerRequest)
  expect(plan.reasons.map(({ change }: { change: string }) => change)).toContain('call of title in greet inline')
  const adopted = JSON.parse(await readFile(join(dir, '.fusionize', 'setup.json'), 'utf8'))
  expect(adopted.id).toBe(plan.id)
  expect((await fusionize(['invoke', 'greet', '"Ada"'], dir)).code).toBe(0)

  const front = await fusionize(['plan', '--json'], dir)
  const { front: points, knee } = JSON.parse(front.stdout)
  expect(points[knee].name).toBe('★')
  const text = await fusionize(['plan'], dir)
  expect(text.stdout).toContain('★ the knee')

  const impossible = await fusionize(['plan', '--p95', '0.001ms', '--json'], dir)
  expect(impossible.code).toBe(1)
  const { error } = JSON.parse(impossible.stdout)
  expect(error).toMatchObject({ code: 'INFEASIBLE', nearest: { name: 'plan' } })
  expect(error.least.p95Ms).toBeGreaterThan(0.001)
  expect((await fusionize(['plan', '--p95', '0.001ms'], dir)).stderr).toMatch(/the bound could be --p95 [\d.]+ms/)
}, 60_000)

test('plan takes traces of any application, and says what it needs', async () => {
  const fixture = new URL('../../planner/test/fixtures/traces/xray-batch-get-traces.json', import.meta.url)
  const file = fileURLToPath(fixture)
  const dir = await makeApp({ 'README.md': 'no tasks here' })
  const untold = await fusionize(['plan', file, '--p95', '1s'], dir)
  expect(untold).toMatchObject({ code: 2 })
  expect(untold.stderr).toContain('--memory <MB>')
  const { code, stdout } = await fusionize(['plan', file, '--budget', '500', '--memory', '256', '--json'], dir)
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ platform: 'AWS Lambda x86', plan: { feasible: true } })
})

test('plan refuses what is no goal', async () => {
  const dir = await makeApp(shop)
  const wrong = async (...args: string[]) => {
    const { code, stderr } = await fusionize(['plan', ...args], dir)
    return [code, stderr] as const
  }
  expect(await wrong('--p95', 'soon')).toEqual([2, expect.stringContaining('as in 300ms or 0.3s')])
  expect(await wrong('--budget', '-1')).toEqual([2, expect.stringContaining('--budget must be a number')])
  expect(await wrong('--adopt')).toEqual([2, expect.stringContaining('--adopt needs a goal')])
  expect(await wrong('nowhere.json')).toEqual([2, expect.stringContaining('there is no file')])
})
