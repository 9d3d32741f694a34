import fc from 'fast-check'
import { type App, setupId } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'
import { appWithSetups } from '../../../fusionize/test/arbitraries.ts'
import { appOf, buildOf, codeOf, where } from '../../test/support/app.ts'
import { pretend } from '../../test/support/pretend.ts'
import { desiredResources } from './desired.js'
import { nothingObserved, type Observed } from './observed.js'
import { planDeployment } from './plan.js'
import type { Desired } from './resources.js'

const hour = 3600_000
const shop = appOf(['front call cart', 'front send mail', 'cart call db'], {
  front: { http: { method: 'GET', path: '/' } },
})

const desire = (build = buildOf(shop), version = '1') => desiredResources(build, codeOf(build, version), where)
const fused = buildOf(shop, (setup) => setup.functions.front?.inline.call.push('cart'))

function deploy(desired: Desired, observed: Observed, now = 0): Observed {
  return pretend(observed, planDeployment(desired, observed, { now }), desired.settings)
}

/** What a plan does, as `what it changes: operation`. */
function changes(desired: Desired, observed: Observed, now = 0): string[] {
  return planDeployment(desired, observed, { now }).steps.map(
    ({ resource, operation }) => `${resource}: ${operation.do}`,
  )
}

describe('the plan of a deployment', () => {
  it('makes everything, all of the setup before any of the switch; the next plan is empty', () => {
    const plan = planDeployment(desire(), nothingObserved(), { now: 0 })
    const at = (fits: RegExp) => plan.steps.flatMap(({ resource }, i) => (fits.test(resource) ? [i] : []))
    expect(Math.max(...at(/setup-/))).toBeLessThan(Math.min(...at(/:live/)))
    expect(Math.max(...at(/^role/))).toBeLessThan(Math.min(...at(/^function/)))
    expect(changes(desire(), deploy(desire(), nothingObserved()))).toEqual([])
  })

  it('is empty after itself, for any app and setups one after the other, and heals what stopped anywhere', () => {
    fc.assert(
      fc.property(appWithSetups(2), fc.nat(), ({ app, setups: [first, second] }, at) => {
        if (!first || !second) return
        const [a, b] = [first, second].map((setup) => {
          const build = buildOf(app, (own) => Object.assign(own, structuredClone(setup)))
          return desire(build)
        }) as [Desired, Desired]
        const one = deploy(a, nothingObserved())
        expect(changes(a, one)).toEqual([])
        const plan = planDeployment(b, one, { now: 1 })
        const crashed = pretend(one, plan, b.settings, plan.steps.slice(0, at % (plan.steps.length + 1)))
        const healed = deploy(b, crashed, 2)
        expect(changes(b, healed, 3)).toEqual([])
        const whole = deploy(b, one, 1)
        expect([...healed.functions.keys()].sort()).toEqual([...whole.functions.keys()].sort())
      }),
      { numRuns: 60 },
    )
  })

  it('until the switch, nothing changes that serves', () => {
    const one = deploy(desire(), nothingObserved())
    const plan = planDeployment(desire(fused), one, { now: 1 })
    const before = plan.steps.filter(
      ({ phase }) => !['switch', 'entries', 'retire', 'clean', 'roles-clean'].includes(phase),
    )
    const { functions } = pretend(one, plan, desire().settings, before)
    for (const [name, { aliases, versions }] of one.functions)
      for (const [alias, { version }] of Object.entries(aliases)) {
        expect(functions.get(name)?.aliases[alias]?.version).toBe(version)
        expect(functions.get(name)?.versions[version]).toEqual(versions[version])
      }
  })

  it('uploads what changed, publishes what did not', () => {
    const one = deploy(desire(), nothingObserved())
    const build = buildOf(shop)
    const code = { ...codeOf(build), cart: { sha256: 'new', bytes: 1, unzippedBytes: 1 } }
    const all = changes(desiredResources(build, code, where), one)
    expect(all.filter((one) => one.endsWith('upload-code'))).toEqual(['function fusionize-shop-cart: upload-code'])
    expect(all.filter((one) => one.endsWith('publish-version'))).toHaveLength(4)
  })

  it('goes back to a setup that is kept by the switch alone', () => {
    const one = deploy(desire(), nothingObserved())
    const two = deploy(desire(fused), one, hour)
    const back = planDeployment(desire(), two, { now: 2 * hour })
    const kinds = new Set(back.steps.map(({ operation }) => operation.do))
    expect([...kinds].sort()).toEqual(
      ['delete-alias', 'delete-async', 'describe-alias', 'set-alias', 'set-async'].filter((one) =>
        kinds.has(one as never),
      ),
    )
    expect(kinds.has('publish-version')).toBe(false)
    expect(changes(desire(), deploy(desire(), two, 2 * hour), 3 * hour)).toEqual([])
  })

  it('keeps setups for six hours after they were replaced, and the last two whatever their age', () => {
    const versions = ['1', '2', '3'].map((version) => desire(buildOf(shop), version)) as [Desired, Desired, Desired]
    let state = nothingObserved()
    for (const [i, desired] of versions.entries()) state = deploy(desired, state, i * hour)
    const deployed = () => Object.keys(state.functions.get('fusionize-shop-front')?.aliases ?? {}).sort()
    const all = versions.map((one) => `setup-${one.deployed}`)
    expect(deployed()).toEqual(['live', ...all].sort())
    state = deploy(versions[2], state, 8.5 * hour)
    expect(deployed()).toEqual(['live', all[1], all[2]].sort())
    state = deploy(versions[2], state, 1000 * hour)
    expect(deployed()).toEqual(['live', all[1], all[2]].sort())
    const { roles } = state
    expect([...(roles.get('fusionize-shop-front')?.keys() ?? [])].sort()).toEqual(['base', 'setups'])
  })

  it('removes functions that no kept setup has, with their roles', () => {
    const all = buildOf(shop, (setup) => {
      setup.functions.front?.inline.call.push('cart', 'db')
      setup.functions.front?.inline.send.push('mail')
    })
    expect(setupId(all.setup)).not.toBe(setupId(buildOf(shop).setup))
    let state = deploy(desire(), nothingObserved())
    state = deploy(desire(all), state, hour)
    expect(state.functions.size).toBe(4)
    expect(state.functions.get('fusionize-shop-cart')?.aliases.live).toBeUndefined()
    state = deploy(desire(all, '2'), state, 2 * hour)
    state = deploy(desire(all, '2'), state, 10 * hour)
    expect([...state.functions.keys()]).toEqual(['fusionize-shop-front'])
    expect([...state.roles.keys()].sort()).toEqual(['fusionize-shop-front', 'fusionize-shop.sweep'])
  })

  describe('of an app with buckets', () => {
    const withBuckets = (app: App): App => ({
      ...app,
      buckets: {
        jobs: { name: 'jobs', file: 'jobs.ts', line: 1, triggers: [], producers: ['cart'], fusible: false },
      },
    })
    const mappingSteps = (desired: Desired, observed: Observed) =>
      planDeployment(desired, observed, { now: 1 }).steps.filter(({ operation }) => operation.do.endsWith('-mapping'))

    it('has another function hear the time, once it is live, before the one that did hears no more', () => {
      const one = deploy(desire(buildOf(withBuckets(shop))), nothingObserved())
      const other = appOf(['desk call front'], { desk: { http: { method: 'GET', path: '/' } }, front: {} })
      const steps = mappingSteps(desire(buildOf(withBuckets(other))), one)
      expect(steps.map(({ operation, phase }) => [operation.do, phase])).toEqual([
        ['create-mapping', 'entries'],
        ['delete-mapping', 'retire'],
      ])
    })

    it('has it hear the time again when somebody switched that off', () => {
      const desired = desire(buildOf(withBuckets(shop)))
      const one = deploy(desired, nothingObserved())
      for (const mapping of one.mappings) mapping.isOn = false
      expect(mappingSteps(desired, one).map(({ operation, words }) => [operation.do, words])).toEqual([
        ['enable-mapping', expect.stringMatching(/^somebody switched it off/)],
      ])
      expect(changes(desired, deploy(desired, one))).toEqual([])
    })

    it('has nobody hear the time any more before the app goes live that has no buckets', () => {
      const one = deploy(desire(buildOf(withBuckets(shop))), nothingObserved())
      expect(mappingSteps(desire(), one).map(({ operation, phase }) => [operation.do, phase])).toEqual([
        ['delete-mapping', 'schedules'],
      ])
      expect(changes(desire(), deploy(desire(), one, 1), 2)).toEqual([])
    })
  })

  it('touches nothing that is not its own', () => {
    const strangers = ['function fusionize-shop-cart', 'role fusionize-shop-other']
    expect(() => planDeployment(desire(), { ...nothingObserved(), strangers }, { now: 0 })).toThrow(
      /^function fusionize-shop-cart is there already without the tag .*set aws\.prefix/,
    )
  })

  it('refuses before anything is made what the account has no room for', () => {
    const quotas = { unreservedConcurrency: 1000, codeBytes: 100_000, usedCodeBytes: 97_000 }
    expect(() => planDeployment(desire(), { ...nothingObserved(), quotas }, { now: 0 })).toThrow(
      /room for 3000 bytes of code, but this takes 4000; delete versions/,
    )
    const build = buildOf(shop)
    const reserving = desiredResources(build, codeOf(build), { ...where, concurrency: { front: 950 } })
    expect(() =>
      planDeployment(reserving, { ...nothingObserved(), quotas: { ...quotas, codeBytes: 1e9 } }, { now: 0 }),
    ).toThrow(/reserves 950 more.*1000 left and 100 must stay/)
  })
})
