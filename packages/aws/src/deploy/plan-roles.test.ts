import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appWithSetups, setupArbitrary } from '../../../fusionize/test/arbitraries.ts'
import { appOf, buildOf, codeOf, where } from '../../test/support/app.ts'
import { pretend } from '../../test/support/pretend.ts'
import { sweepRoleName } from '../names.js'
import { desiredResources } from './desired.js'
import { documentOf, grantsOf } from './grants.js'
import { policyCharacters } from './limits.js'
import { nothingObserved, type Observed } from './observed.js'
import { planDeployment } from './plan.js'
import { type Desired, ofKind, type PolicyDocument } from './resources.js'
import { oldSetups } from './retirement.js'
import { grantsOfSetup, setupsPolicy } from './roles.js'

const hour = 3600_000

const deploy = (desired: Desired, observed: Observed, now: number) =>
  pretend(observed, planDeployment(desired, observed, { now }), desired.settings)

const allowed = (observed: Observed, role: string): string[] =>
  texts(JSON.parse(observed.roles.get(role)?.get(setupsPolicy) ?? '{"Statement":[]}'))

/** What a document allows, one text for each resource. */
const texts = (document: PolicyDocument) =>
  grantsOf(document)
    .map((one) => JSON.stringify(one))
    .sort()

/** What a role needs for these setups, worked out from them alone. */
function needed(setups: readonly Desired[], name: string): string[] {
  const roles = setups.flatMap((desired) => ofKind(desired, 'role').filter((role) => role.name === name))
  return texts(documentOf(roles.flatMap(grantsOfSetup)))
}

/** @param all by id of the deployed setup */
function expectLeast(observed: Observed, serving: string, all: ReadonlyMap<string, Desired>): void {
  const kept = [serving, ...oldSetups(observed, serving).map(({ deployed }) => deployed)]
  const setups = kept.map((one) => all.get(one) as Desired)
  for (const role of observed.roles.keys())
    expect([role, ...allowed(observed, role)]).toEqual([role, ...needed(setups, role)])
}

describe('the roles of functions', () => {
  it('may do what the setups need that are kept, and nothing else, for any setups at any times', () => {
    const steps = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(1, 4, 8)), { minLength: 2, maxLength: 8 })
    fc.assert(
      fc.property(appWithSetups(4), steps, ({ app, setups }, turns) => {
        for (const [name, task] of Object.entries(app.tasks)) task.permissions = [`s3:GetObject arn:aws:s3:::${name}/*`]
        const builds = setups.map((setup) => buildOf(app, (own) => Object.assign(own, structuredClone(setup))))
        const desired = builds.map((build) => desiredResources(build, codeOf(build), where))
        const all = new Map(desired.map((one) => [one.deployed, one]))
        let state = nothingObserved()
        let now = 0
        for (const [which, hours] of turns) {
          const one = desired[which % desired.length] as Desired
          now += hours * hour
          state = deploy(one, state, now)
          expectLeast(state, one.deployed, all)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('has room for a loop of forty setups within the hours for which setups stay', () => {
    const names = Array.from({ length: 12 }, (_, i) => `a-task-with-a-longer-name-${i}`)
    // Each task may call every one that comes after it: the most that there is to allow.
    const edges = names.flatMap((from, i) =>
      names.slice(i + 1).map((to, k) => `${from} ${k % 3 ? 'call' : 'send'} ${to}` as const),
    )
    const facts = Object.fromEntries(
      names.map((name) => [name, { permissions: [`s3:GetObject arn:aws:s3:::bucket-of-${name}/*`] }]),
    )
    const http = { method: 'GET', path: '/' }
    const app = appOf(edges, { ...facts, [names[0] as string]: { ...facts[names[0] as string], http } })
    const setups = fc.sample(setupArbitrary(app, [128, 256]), { numRuns: 40, seed: 5 })
    const all = new Map<string, Desired>()
    const largest = new Map<string, number>()
    let state = nothingObserved()
    for (const [i, setup] of setups.entries()) {
      const build = buildOf(app, (own) => Object.assign(own, setup))
      const desired = desiredResources(build, codeOf(build, String(i)), where)
      all.set(desired.deployed, desired)
      state = deploy(desired, state, i * 60_000)
      expectLeast(state, desired.deployed, all)
      for (const [role, policies] of state.roles)
        largest.set(role, Math.max(largest.get(role) ?? 0, [...policies.values()].join('').length))
    }
    expect(all.size).toBe(40)
    expect(oldSetups(state, '')).toHaveLength(40)
    expect(Math.max(...largest.values())).toBeLessThan(policyCharacters / 2)
    // One policy for each setup would have had no room.
    const apart = [...all.values()].map(
      (one) =>
        texts({ Version: '2012-10-17', Statement: ofKind(one, 'role')[0]?.policies[1]?.document.Statement ?? [] }).join(
          '',
        ).length,
    )
    expect(apart.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(policyCharacters)
  })

  it('lose what the last setup needed that had a sweep, and never what another one still needs', () => {
    const shop = appOf(['front send mail', 'front call cart'], { front: { http: { method: 'GET', path: '/' } } })
    const build = (edit?: Parameters<typeof buildOf>[1]) => {
      const one = buildOf(shop, edit)
      return desiredResources(one, codeOf(one), where)
    }
    const remote = build()
    const leaves = build((setup) => setup.functions.front?.inline.send.push('mail'))
    const calls = build((setup) => setup.functions.front?.inline.call.push('cart'))
    const sweep = sweepRoleName('fusionize-shop')
    let state = deploy(leaves, nothingObserved(), 0)
    expect(allowed(state, sweep)).toHaveLength(1)
    state = deploy(remote, state, hour)
    expect(state.roles.has(sweep)).toBe(true)
    state = deploy(calls, state, 2 * hour)
    expect(allowed(state, 'fusionize-shop-front').join()).toMatch(/fusionize-shop-cart.*hold#front/)
    state = deploy(calls, state, 7.5 * hour)
    expect(state.roles.has(sweep)).toBe(false)
    expect(allowed(state, 'fusionize-shop-front').join()).not.toContain('hold#front')
    expect(allowed(state, 'fusionize-shop-front').join()).toContain('fusionize-shop-cart')
  })
})
