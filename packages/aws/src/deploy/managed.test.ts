import fc from 'fast-check'
import type { App, Constraints, FusionSetup } from 'fusionize/setup'
import { artifactTasks } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'
import { appWithSetups } from '../../../fusionize/test/arbitraries.ts'
import { appOf, buildOf, codeOf, where } from '../../test/support/app.ts'
import { pretend } from '../../test/support/pretend.ts'
import { exportCloudFormation } from '../export/cloudformation.js'
import { desiredResources } from './desired.js'
import { managerKey } from './desired-manager.js'
import { possibleTasks } from './may-share.js'
import { nothingObserved, type Observed } from './observed.js'
import { planDeployment } from './plan.js'
import { type Desired, ofKind, type Statement } from './resources.js'
import type { DeployOptions } from './settings.js'

const shop = appOf(['front call cart', 'front send mail', 'cart call db'], {
  front: { http: { method: 'GET', path: '/' } },
  mail: { permissions: ['ses:SendEmail arn:aws:ses:{region}:{account}:identity/shop'] },
})
const fused = (setup: FusionSetup) => void setup.functions.front?.inline.call.push('cart')

/** With a manager, without one (`false`), or as if nobody had heard of managers. */
function desire(managed?: DeployOptions['managed'], app: App = shop, edit = (_: FusionSetup) => {}): Desired {
  const build = buildOf(app, edit)
  const zip = { sha256: 'm', bytes: 5e6, unzippedBytes: 15e6 }
  return desiredResources(build, { ...codeOf(build), ...(managed && { [managerKey]: zip }) }, { ...where, managed })
}

function deploy(desired: Desired, observed: Observed, now = 0): Observed {
  return pretend(observed, planDeployment(desired, observed, { now }), desired.settings)
}

function changes(desired: Desired, observed: Observed, options: { now?: number; serves?: boolean } = {}): string[] {
  return planDeployment(desired, observed, { now: 0, ...options }).steps.map(
    ({ resource, operation }) => `${resource}: ${operation.do}`,
  )
}

const statementsOf = (desired: Desired, role: string): Statement[] =>
  ofKind(desired, 'role')
    .filter(({ name }) => name === role)
    .flatMap(({ policies }) => policies.flatMap(({ document }) => document.Statement))

describe('a managed app', () => {
  it('has roles that are the same in every setup, for every task', () => {
    const roles = (edit: (setup: FusionSetup) => void) => ofKind(desire({}, shop, edit), 'role')
    expect(roles(fused)).toEqual(roles(() => {}))
    const names = roles(fused).map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['cart', 'db', 'front', 'mail'].map((task) => `fusionize-shop-${task}`)),
    )
    expect(names).toContain('fusionize-shop.sweep')
  })

  it('lets each function do what it may have to do in some setup, and no more', () => {
    const withMail = (constraints: Constraints) =>
      ['front', 'cart', 'mail'].filter((task) =>
        JSON.stringify(statementsOf(desire({ constraints }), `fusionize-shop-${task}`)).includes('ses:SendEmail'),
      )
    expect(withMail({})).toEqual(['front', 'mail'])
    expect(withMail({ isolate: ['mail'] })).toEqual(['mail'])
    expect(withMail({ apart: [['front', 'mail']] })).toEqual(['mail'])
    expect(withMail({ zones: { letters: ['mail'], web: ['front'] } })).toEqual(['mail'])
    const calls = statementsOf(desire({}), 'fusionize-shop-cart').find(({ Sid }) => Sid === 'Calls')
    expect(calls?.Resource).toEqual(
      ['cart', 'db'].map((fn) => `arn:aws:lambda:eu-central-1:123456789012:function:fusionize-shop-${fn}:setup-*`),
    )
  })

  it('has in no setup a task in a function whose permissions it is not part of', () => {
    fc.assert(
      fc.property(appWithSetups(1), ({ app, setups: [setup] }) => {
        if (!setup) return
        for (const fn of Object.keys(app.tasks))
          expect(possibleTasks(app, {}, fn)).toEqual(expect.arrayContaining(artifactTasks(app, setup, fn)))
      }),
    )
  })

  it('is made by a plan that is empty after itself, from nothing, from an app without a manager, and back', () => {
    const made = deploy(desire({}), nothingObserved())
    expect(made.manager).toMatchObject({ name: 'fusionize-shop_manager', concurrency: 1 })
    expect(changes(desire({}), made)).toEqual([])
    const grown = deploy(desire({}), deploy(desire(), nothingObserved()))
    expect(changes(desire({}), grown)).toEqual([])
    const left = deploy(desire(false), grown, 1)
    expect(left.manager).toBeNull()
    expect([...left.scheduleGroups.keys()]).not.toContain('fusionize-shop_manager')
    expect([...left.roles.keys()].filter((name) => /manager/.test(name))).toEqual([])
    expect(changes(desire(false), left)).toEqual([])
    expect(changes(desire(), left)).toEqual([])
  })

  it('has the manager begin once all that it looks after is there, and end before anything else is changed', () => {
    const at = (desired: Desired, observed: Observed, fits: RegExp) =>
      planDeployment(desired, observed, { now: 0 }).steps.flatMap(({ resource }, i) => (fits.test(resource) ? [i] : []))
    const begins = at(desire({}), nothingObserved(), /^(function|schedule) fusionize-shop_manager/)
    expect(Math.min(...begins)).toBeGreaterThan(
      Math.max(...at(desire({}), nothingObserved(), /-(front|cart|db|mail)\b/)),
    )
    const managed = deploy(desire({}), nothingObserved())
    const next = desire(false, shop, fused)
    const ends = at(next, managed, /^(function|schedule group) fusionize-shop_manager/)
    expect(Math.max(...ends)).toBeLessThan(Math.min(...at(next, managed, /^(function|alias) fusionize-shop-/)))
  })

  it('is no stack', () => {
    const build = buildOf(shop)
    expect(() => exportCloudFormation(build, codeOf(build), { managed: {} })).toThrow(/cannot be exported with one/)
  })

  it('is not changed by who knows nothing of managers', () => {
    const managed = deploy(desire({}), nothingObserved())
    expect(() => changes(desire(), managed)).toThrow(/^function fusionize-shop_manager manages the setups of 'shop'/)
  })

  it('keeps the permissions of all setups for those that were deployed with them', () => {
    const managed = deploy(desire({}), nothingObserved())
    const setups = ({ roles }: Observed) => roles.get('fusionize-shop-front')?.get('setups')
    expect(setups(deploy(desire(false, shop, fused), managed, 1))).toBe(setups(managed))
  })
})

describe('a setup that is made ready', () => {
  it('has its versions and aliases, and changes nothing that serves', () => {
    const managed = deploy(desire({}), nothingObserved())
    const steps = changes(desire({}, shop, fused), managed, { serves: false })
    expect(steps).toContain('function fusionize-shop-front: publish-version')
    expect(steps.filter((step) => /:live|describe|delete|role|manager/.test(step))).toEqual([])
    const ready = pretend(
      managed,
      planDeployment(desire({}, shop, fused), managed, { now: 0, serves: false }),
      desire({}).settings,
    )
    expect(changes(desire({}, shop, fused), ready, { serves: false })).toEqual([])
    expect(changes(desire({}, shop, fused), deploy(desire({}, shop, fused), ready, 1), { now: 2 })).toEqual([])
  })
})

describe('any app', () => {
  const changing = ['function', 'alias', 'async', 'url', 'schedule']
  const sweep = 'fusionize-generated-sweep'

  /** What is there after a manager, which sees functions and the schedules of setups alone, has done so many steps of what it does. */
  function managed(
    before: Observed,
    whole: Desired,
    now: number,
    serves: boolean,
    most = Number.POSITIVE_INFINITY,
  ): Observed {
    const desired = { ...whole, resources: whole.resources.filter(({ kind }) => changing.includes(kind)) }
    const schedules = before.scheduleGroups.get(sweep) ?? []
    const seen = { ...nothingObserved(), functions: before.functions, scheduleGroups: new Map([[sweep, schedules]]) }
    const plan = planDeployment(desired, seen, { now, serves })
    const after = pretend(
      seen,
      plan,
      desired.settings,
      plan.steps.slice(0, most % (plan.steps.length + 1) || undefined),
    )
    const scheduleGroups = new Map([...before.scheduleGroups, ...after.scheduleGroups])
    return { ...before, functions: after.functions, scheduleGroups }
  }

  it('is brought from one setup to another by what a manager may change alone, wherever it was stopped', () => {
    fc.assert(
      fc.property(appWithSetups(2), fc.nat(), ({ app, setups: [first, second] }, at) => {
        if (!first || !second) return
        const take = (setup: FusionSetup) => (own: FusionSetup) => void Object.assign(own, structuredClone(setup))
        const [a, b] = [desire({}, app, take(first)), desire({}, app, take(second))] as [Desired, Desired]
        const one = deploy(a, nothingObserved())
        const live = ({ functions }: Observed) => [...functions.values()].map(({ aliases }) => aliases.live)
        const stopped = managed(one, b, 1, false, at)
        expect(live(stopped).filter(Boolean)).toEqual(live(one).filter(Boolean))
        const done = managed(managed(stopped, b, 2, false), b, 3, true)
        expect(changes(b, done, { now: 4 })).toEqual([])
      }),
      { numRuns: 40 },
    )
  })
})

describe("the manager's role", () => {
  const buckets = { jobs: { name: 'jobs', file: 'j.ts', line: 1, triggers: [], producers: ['cart'], fusible: false } }

  it.each([shop, { ...shop, buckets }])(
    'names in every statement resources of this app alone, by their full names',
    (app) => {
      const statements = statementsOf(desire({}, app), 'fusionize-shop_manager')
      expect(statements.length).toBeGreaterThan(8)
      for (const { Action, Resource } of statements) {
        for (const action of Action) expect(action).not.toContain('*')
        for (const arn of Resource)
          expect(arn).toMatch(/^arn:aws:[a-z0-9]+:[a-z0-9-]*:\d*:[^*]*fusionize-shop[-_/]?[^*]*([:/]\*)?$/)
      }
    },
  )

  it('names the prefix where IAM has no room for all names', () => {
    const many = appOf([], Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`task-${i}`, {}])))
    const functions = statementsOf(desire({}, many), 'fusionize-shop_manager').find(({ Sid }) => Sid === 'Functions')
    const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:fusionize-shop-*'
    expect(functions?.Resource).toEqual([arn, `${arn}:*`])
    expect(() => planDeployment(desire({}, many), nothingObserved(), { now: 0 })).not.toThrow()
  })

  it('changes no permission, no address and not itself, and passes roles of the app to the services that take them', () => {
    const statements = statementsOf(desire({}), 'fusionize-shop_manager')
    const actions = statements.flatMap(({ Action }) => Action)
    expect(actions.filter((action) => action.startsWith('iam:'))).toEqual(['iam:PassRole', 'iam:PassRole'])
    expect(actions.filter((one) => /Permission|UrlConfig|EventSource|Invoke(Function)?$/.test(one))).toEqual([
      'lambda:GetFunctionUrlConfig',
    ])
    for (const { Action, Condition, Resource, Sid } of statements) {
      if (Sid !== 'Logs') expect(JSON.stringify(Resource)).not.toContain('manager"')
      if (Action[0] !== 'iam:PassRole') continue
      expect(Condition?.StringEquals?.['iam:PassedToService']).toHaveLength(1)
      for (const arn of Resource) expect(arn).toMatch(/:role\/fusionize-shop[-.](cart|db|front|mail|sweep)$/)
    }
  })
})
