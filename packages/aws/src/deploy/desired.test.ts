import type { App } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'
import { appOf, buildOf, codeOf, where } from '../../test/support/app.ts'
import { desiredResources } from './desired.js'
import { ofKind } from './resources.js'

const shop = appOf(['front call cart', 'front send mail', 'cart call db'], {
  front: { http: { method: 'GET', path: '/' } },
  mail: { retries: 1, permissions: ['ses:SendEmail arn:aws:ses:{region}:{account}:identity/*'] },
})

const edge = (to: string) => ({ from: 'front', to, modes: ['send' as const] })

function desire(build = buildOf(shop), code = codeOf(build), options = {}) {
  return desiredResources(build, code, { ...where, ...options })
}

describe('what should be there', () => {
  it('is the same for the same build, and another deployed setup where code or configuration differ', () => {
    expect(desire()).toEqual(desire())
    const build = buildOf(shop)
    const other = desire(build, { ...codeOf(build), cart: { sha256: 'x', bytes: 1, unzippedBytes: 1 } })
    expect(other.setup).toBe(desire().setup)
    expect(other.deployed).not.toBe(desire().deployed)
    expect(desire(build, codeOf(build), { timeoutMs: 60_000 }).deployed).not.toBe(desire().deployed)
    expect(desire(build, codeOf(build), { retentionDays: 30 }).deployed).toBe(desire().deployed)
  })

  it('lets a function call what its tasks call remotely, by the aliases of setups, and nothing else', () => {
    const desired = desire()
    const role = (name: string) => ofKind(desired, 'role').find((one) => one.name === `fusionize-shop-${name}`)
    const calls = (name: string) =>
      role(name)
        ?.policies.flatMap(({ document }) => document.Statement)
        .find(({ Sid }) => Sid === 'Calls')?.Resource
    const arn = (fn: string) => `arn:aws:lambda:eu-central-1:123456789012:function:fusionize-shop-${fn}:setup-*`
    expect(calls('front')).toEqual([arn('cart'), arn('mail')])
    expect(calls('mail')).toBeUndefined()
    expect(JSON.stringify(role('mail'))).toContain('arn:aws:ses:eu-central-1:123456789012:identity/*')
    expect(JSON.stringify(role('cart'))).not.toContain('ses:')
  })

  it('has a declared permission in every function that contains the task', () => {
    const fused = buildOf(shop, (setup) => setup.functions.front?.inline.send.push('mail'))
    const roles = ofKind(desire(fused), 'role').filter((one) => JSON.stringify(one).includes('ses:SendEmail'))
    expect(roles.map(({ name }) => name)).toEqual(['fusionize-shop-front'])
  })

  it('streams where asked to: what the address does and what its function does go together', () => {
    const streams = (options: object) => {
      const desired = desire(buildOf(shop), undefined, options)
      const told = ofKind(desired, 'function').map(
        ({ environment }) => JSON.parse(environment.FUSIONIZE ?? '').streaming,
      )
      return { modes: ofKind(desired, 'url').map(({ mode }) => mode), told }
    }
    const buffered = { modes: ['BUFFERED'], told: [undefined, undefined, undefined, undefined] }
    expect(streams({})).toEqual(buffered)
    expect(streams({ streaming: true })).toEqual({
      modes: ['RESPONSE_STREAM'],
      told: [undefined, undefined, true, undefined],
    })
    expect(streams({ streaming: true, functionUrlAuth: 'off' })).toEqual({ ...buffered, modes: [] })
  })

  it('lets a function touch the held work of its own alone', () => {
    const fused = buildOf(shop, (setup) => setup.functions.front?.inline.send.push('mail'))
    const held = ofKind(desire(fused), 'role')
      .flatMap(({ name, policies }) => policies.map(({ document }) => ({ name, document })))
      .flatMap(({ name, document }) => document.Statement.map((one) => ({ name, ...one })))
      .filter(({ Sid }) => Sid === 'Held')
    expect(held.map(({ name, Condition }) => [name, Condition])).toEqual([
      ['fusionize-shop-front', { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['hold#front'] } }],
    ])
  })

  it('sweeps where work may outlive the answer, and only there', () => {
    expect(ofKind(desire(), 'schedule')).toEqual([])
    const fused = buildOf(shop, (setup) => setup.functions.front?.inline.send.push('mail'))
    const swept = desire(fused)
    expect(ofKind(swept, 'schedule').map(({ functionName }) => functionName)).toEqual(['fusionize-shop-front'])
    expect(ofKind(desire(fused, codeOf(fused), { afterReply: 'before-reply' }), 'schedule')).toEqual([])
  })

  describe('of an app with buckets', () => {
    const counted: App = {
      ...appOf(['front call join', 'front send mail'], {
        front: { http: { method: 'POST', path: '/' } },
        count: {},
        rest: {},
      }),
      buckets: {
        events: {
          ...{ name: 'events', file: 'events.ts', line: 1, producers: ['front'], fusible: true },
          triggers: ['count', 'rest'].map((task) => ({ trigger: 'bySet(["a"])', task })),
        },
      },
    }
    counted.edges.push(...['count', 'rest'].map((to) => ({ ...edge(to), buckets: ['events'] })))
    const build = buildOf(counted)
    const desired = desire(build)
    const statements = (fn: string, Sid: string) =>
      ofKind(desired, 'role')
        .filter(({ name }) => name === `fusionize-shop-${fn}`)
        .flatMap(({ policies }) => policies.flatMap(({ document }) => document.Statement))
        .filter((one) => one.Sid === Sid)

    it('may start from any function what triggers start, and what a promise may run again', () => {
      for (const fn of ['count', 'front', 'join', 'mail', 'rest']) {
        const [calls] = statements(fn, 'Calls')
        const names = calls?.Resource.map((arn) => arn.split(':').at(-2)?.replace('fusionize-shop-', ''))
        expect(names).toEqual(
          fn === 'front' ? ['count', 'front', 'join', 'mail', 'rest'] : ['count', 'front', 'mail', 'rest'],
        )
        expect(statements(fn, 'State')).toHaveLength(1)
        expect(statements(fn, 'Objects')).toHaveLength(1)
      }
    })

    it('has one function hear the time, six times as long as it may take, and all of them told and swept', () => {
      const [front] = ofKind(desired, 'function').filter((one) => one.function === 'front')
      const [times] = ofKind(desired, 'queue').filter(({ name }) => name === 'fusionize-shop-time')
      expect(times?.visibilityS).toBe(6 * (front?.timeoutS ?? 0))
      expect(ofKind(desired, 'mapping')).toMatchObject([{ functionName: 'fusionize-shop-front', qualifier: 'live' }])
      expect(statements('front', 'TakeTimes')[0]?.Action).toContain('sqs:ReceiveMessage')
      expect(statements('join', 'Times')[0]?.Action).toEqual(['sqs:SendMessage'])
      expect(ofKind(desired, 'schedule')).toHaveLength(5)
      for (const one of ofKind(desired, 'function'))
        expect(JSON.parse(one.environment.FUSIONIZE ?? '')).toMatchObject({
          function: one.function,
          buckets: ['events'],
          times: expect.stringMatching(/-time$/),
        })
    })

    it('keeps objects for longer than records and dead letters can name them', () => {
      const [bucket] = ofKind(desired, 'bucket')
      expect(bucket?.expiry.find(({ prefix }) => prefix === 'objects/')?.days).toBeGreaterThan(30 + 14)
      expect(ofKind(desire(), 'bucket')[0]?.expiry.map(({ prefix }) => prefix)).not.toContain('objects/')
    })

    it('evaluates all buckets in the table: what they start has functions of its own, whatever the setup asks for', () => {
      const fused = buildOf(counted, (setup) => {
        setup.functions.front?.buckets.push('events')
        setup.functions.front?.inline.send.push('count', 'rest')
      })
      const functions = ofKind(desire(fused), 'function').map((one) => [one.function, one.tasks])
      expect(functions).toContainEqual(['front', ['front']])
      expect(functions).toContainEqual(['count', ['count']])
    })

    it('gives a function time to change the table, however little its task may take', () => {
      const quick = { ...counted, tasks: { ...counted.tasks, join: { ...counted.tasks.join, timeoutMs: 100 } } } as App
      const [join] = ofKind(desire(buildOf(quick)), 'function').filter((one) => one.function === 'join')
      expect(join?.timeoutS).toBe(32)
    })
  })

  it('gives a function the time of its task and of what it is left with, and Lambda 900 s at most', () => {
    const timeOf = (timeoutMs: number) => {
      const app = appOf(['a send b'], { a: { timeoutMs: 5000 }, b: { timeoutMs } })
      const build = buildOf(app, (setup) => setup.functions.a?.inline.send.push('b'))
      return ofKind(desire(build), 'function').map(({ timeoutS }) => timeoutS)
    }
    expect(timeOf(7000)).toEqual([14])
    expect(timeOf(899_000)).toEqual([900])
    expect(() => timeOf(901_000)).toThrow(/task 'b' may take 901000 ms.*900 s at most/)
  })

  it('has an address for entries alone, for signed requests unless the configuration says otherwise', () => {
    expect(ofKind(desire(), 'url')).toEqual([
      { kind: 'url', functionName: 'fusionize-shop-front', qualifier: 'live', auth: 'AWS_IAM', mode: 'BUFFERED' },
    ])
  })

  it.each([
    ['*', 'is empty|is no action'],
    ['s3:GetObject', 'names no resource'],
    ['s3:GetObject *', 'every resource there is'],
    ['s3:GetObject arn:aws:s3:::*', 'every resource there is'],
    ['* arn:aws:s3:::b/*', 'is no action'],
    ['s3:GetObject my-bucket', 'is no ARN'],
  ])('refuses the permission %j and names the task', (permission, words) => {
    const app = appOf([], { a: { permissions: [permission] } })
    expect(() => desire(buildOf(app))).toThrow(new RegExp(`task 'a' declares.*(${words})`))
  })

  it('refuses what Lambda would: retries, memory, environment, each with what to do', () => {
    const app = appOf([], { a: { retries: 3 } })
    const build = { ...buildOf(app, (setup) => Object.assign(setup.functions.a ?? {}, { memory: 64 })) }
    const env = { AWS_REGION: 'x', LONG: 'x'.repeat(5000) }
    const problems = () => desire({ ...build, env })
    for (const words of [/3 retries.*lower/, /64 MB.*choose/, /4096; shorten/, /AWS_REGION.*take it out/])
      expect(problems).toThrow(words)
  })

  it('refuses to reserve concurrency for what is no task', () => {
    const build = buildOf(shop)
    expect(() => desire(build, codeOf(build), { concurrency: { fornt: 5 } })).toThrow(/'fornt', .*did you mean 'front'/)
  })

  it('refuses a prefix that cannot begin the name of a bucket', () => {
    expect(() => desire(buildOf({ ...shop, name: '@acme/Shop' }))).toThrow(/set aws\.prefix/)
  })
})
