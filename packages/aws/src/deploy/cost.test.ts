import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appWithSetups } from '../../../fusionize/test/arbitraries.ts'
import { appOf, buildOf, codeOf, where } from '../../test/support/app.ts'
import { estimateCost } from './cost.js'
import { desiredResources } from './desired.js'
import { managerKey } from './desired-manager.js'
import { dryRunDocument, dryRunText } from './dry-run.js'
import { nothingObserved } from './observed.js'
import { planDeployment } from './plan.js'

const shop = appOf(['front call cart', 'front send mail', 'cart call db'], {
  front: { http: { method: 'GET', path: '/' } },
})

function estimate(build = buildOf(shop), options = {}) {
  const desired = desiredResources(build, codeOf(build), where)
  return estimateCost(build.app, build.setup, desired, options)
}

describe('the estimate', () => {
  it('counts every remote call of a request, and what callers wait', () => {
    const { functions } = estimate()
    expect(functions.map(({ function: fn, invocations, durationMs }) => [fn, invocations, durationMs])).toEqual([
      ['cart', 1e6, 20],
      ['db', 1e6, 10],
      ['front', 1e6, 30],
      ['mail', 1e6, 10],
    ])
  })

  it('has lines of its own for a manager: 2,880 runs of some seconds at 1769 MB, less than half a dollar', () => {
    const build = buildOf(shop)
    const code = { ...codeOf(build), [managerKey]: { sha256: 'm', bytes: 1, unzippedBytes: 1 } }
    const cost = (managed: object | false) =>
      estimateCost(build.app, build.setup, desiredResources(build, code, { ...where, managed }))
    const lines = cost({}).lines.filter(({ what }) => what.startsWith('manager, '))
    const usd = lines.reduce((sum, line) => sum + line.usd, 0)
    // 2,880 runs of 5 s and 10 of 60 s more, 1.7275 GB, $0.0000133334: 0.345; 24 writes each: 0.043; the rest
    expect(lines.find(({ what }) => what === 'manager, compute')?.usd).toBeCloseTo(0.3455, 3)
    expect(usd).toBeGreaterThan(0.39)
    expect(usd).toBeLessThan(0.5)
    expect(lines.find(({ what }) => what === 'manager, runs')?.quantity).toBe(2880)
    expect(cost({ everyMinutes: 60 }).lines.find(({ what }) => what === 'manager, runs')?.quantity).toBe(720)
    expect(cost({}).assumed.join()).toContain('the manager runs every 15 minutes')
  })

  it('is the prices times the quantities: 4 million invocations at $0.20 a million', () => {
    const { lines, totalUsd } = estimate()
    const usd = (what: string) => lines.find((line) => line.what === what)?.usd
    expect(usd('requests')).toBeCloseTo(0.8)
    // 4 invocations of 70 ms together and 4 × 1.7 ms of starts, 128 MB, arm: (0.0768 s × 0.125 GB) × 1e6 × $0.0000133334
    expect(usd('compute')).toBeCloseTo(0.0768 * 0.125 * 13.3334, 3)
    expect(usd('ingestion')).toBeCloseTo(4 * 1.2 * 0.5)
    expect(totalUsd).toBeCloseTo(lines.reduce((sum, line) => sum + line.usd, 0))
  })

  it('takes calls and times from a profile, and says so', () => {
    const profile = {
      source: '10 requests of the last run of optimize',
      callsPerRun: { 'front call cart': 2, 'cart call db': 0.5 },
      ownMs: { front: 5, cart: 20, db: 100 },
    }
    const { assumed, functions } = estimate(buildOf(shop), { profile, requests: 10 })
    expect(functions.map(({ function: fn, invocations, durationMs }) => [fn, invocations, durationMs])).toEqual([
      ['cart', 20, 70],
      ['db', 10, 100],
      ['front', 10, 145],
      ['mail', 0, 10],
    ])
    expect(assumed).toContain('calls and times are those of 10 requests of the last run of optimize')
  })

  it('prices that Lambda asks for times, in an app with buckets alone', () => {
    const events = { name: 'events', file: 'e.ts', line: 1, triggers: [], producers: ['front'], fusible: false }
    const asked = (build = buildOf(shop)) => estimate(build).lines.find(({ what }) => what === 'asking for times')
    expect(asked()?.quantity).toBe(0)
    expect(asked(buildOf({ ...shop, buckets: { events } }))).toMatchObject({ quantity: 648_000 })
  })

  it('prices what a reply leaves behind: a write, a delete and the sweep', () => {
    const fused = buildOf(shop, (setup) => setup.functions.front?.inline.send.push('mail'))
    const line = (what: string) => estimate(fused).lines.find((one) => one.what === what)
    expect(line('writes')).toMatchObject({ quantity: 2e6, usd: 1.25 })
    expect(line('sweeps')).toMatchObject({ quantity: 8640 })
  })

  it('is finite for any app and setup, recursion too', () => {
    fc.assert(
      fc.property(appWithSetups(1), ({ app, setups: [setup] }) => {
        const build = buildOf(app, (own) => Object.assign(own, structuredClone(setup)))
        const { totalUsd } = estimate(build)
        expect(totalUsd).toBeGreaterThan(0)
        expect(Number.isFinite(totalUsd)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the dry run', () => {
  it('tells every resource, the total, and what was assumed', () => {
    const build = buildOf(shop)
    const desired = desiredResources(build, codeOf(build), where)
    const plan = planDeployment(desired, nothingObserved(), { now: 0 })
    const text = dryRunText(dryRunDocument(desired, plan, estimate(), { front: 'GET /' }))
    for (const { resource } of plan.steps) expect(text).toContain(resource)
    expect(text).toContain('fusionize-shop-front  128 MB, 32 s, 1.0 kB, GET /')
    expect(text).toMatch(/About \$\d+\.\d\d a month at 1,000,000 requests/)
    expect(text).toContain('10 ms each')
  })
})
