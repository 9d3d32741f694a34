import { factsOf } from '@fusionize/aws'
import type { Strategy } from '@fusionize/planner'
import fc from 'fast-check'
import { type App, type FusionSetup, remoteSetup, setupId } from 'fusionize/setup'
import { expect, it } from 'vitest'
import { runLap } from './lap.js'
import type { ManagerState } from './state.js'
import type { LapTools } from './tools.js'

const app: App = {
  name: 'shop',
  tasks: { pay: { name: 'pay', file: 'pay.ts', line: 1, hasSchema: false, http: { method: 'GET', path: '/' } } },
  edges: [],
}
const ENOUGH = 5
const MINUTE = 60_000
const sizes = [128, 192, 256, 384, 512]
const setupOf = (memory: number) => remoteSetup(app, memory)
const memoryOf = (setup: FusionSetup) => setup.functions.pay?.memory as number
const deployedOf = (setup: FusionSetup) => `${setupId(setup)}-code`

/** What a size is like: ms of every request, and whether every request fails. */
interface Behaviour {
  ms: number
  fails: boolean
}

/** An account of which only one app, one function and whole requests are of interest. Its process may end before or after anything that it asks for. */
class World {
  nowMs = 1e12
  weights: Record<string, number> = {}
  ready = new Set<string>()
  /** What was done to the app, in order. */
  readonly done: string[] = []
  #lines: string[] = []
  #head: { revision: number; head: unknown } | undefined
  #evidence = new Map<string, string>()
  #count = 0
  /** Operations until the process ends; counts down. */
  left = Number.POSITIVE_INFINITY
  readonly #behaviour: Record<number, Behaviour>

  constructor(behaviour: Record<number, Behaviour>, first: FusionSetup) {
    this.#behaviour = behaviour
    this.weights = { [deployedOf(first)]: 1 }
    this.ready.add(deployedOf(first))
  }

  get state(): ManagerState | undefined {
    return this.#head && (JSON.parse(JSON.stringify(this.#head.head)) as ManagerState)
  }

  /** The sizes that have sessions, and their shares. */
  get shares(): { memory: number; share: number }[] {
    return sizes.flatMap((memory) => {
      const share = this.weights[deployedOf(setupOf(memory))] ?? 0
      return share > 0 ? [{ memory, share }] : []
    })
  }

  /** Requests to every setup that has sessions. */
  requests(times: number): void {
    for (const { memory } of this.shares) for (let i = 0; i < times; i++) this.#request(memory)
    this.nowMs += 15 * MINUTE
  }

  #request(memory: number): void {
    const { fails, ms } = this.#behaviour[memory] as Behaviour
    const id = (++this.#count).toString(16).padStart(32, '0')
    const span = [-1, 0, 0, 0, ms * 1000, 1, 1, -1]
    this.#lines.push(
      JSON.stringify({
        ...{
          v: 1,
          app: 'shop',
          setup: setupId(setupOf(memory)),
          function: 'pay',
          task: 'pay',
          sandbox: 'x',
          mode: 'call',
        },
        ...{ invocation: id, session: id, trace: id, span: `${id.slice(24)}00000000`, parent: null, attempt: 1 },
        ...{ cold: null, start: this.nowMs, reply: ms, wall: ms, peakMb: 50, memory, concurrent: 1 },
        ...{ names: ['pay'], s: Buffer.from(Int32Array.from(span).buffer).toString('base64') },
        ...(fails && { e: { 0: 'Error: no' } }),
      }),
    )
  }

  /** Before and after an operation the process may end; then nothing else is done by it. */
  async #op<T>(run: () => T): Promise<T> {
    if (this.left-- <= 0) throw new Error('ended')
    const result = run()
    if (this.left-- <= 0) throw new Error('ended')
    return result
  }

  tools(run: string): LapTools {
    return {
      config: {
        ...{ version: 1, key: 'k', env: {}, constraints: {}, strategy: 'list', setup: setupOf(sizes[0] as number) },
        ...{ requests: ENOUGH, share: 0.2, settleMs: 0, pollMs: 1, goal: { minimize: 'p50' } },
        deploy: { account: '1', region: 'x', prefix: 'fusionize-shop', managed: { everyMinutes: 15 } },
      },
      builder: { app, build: async (setup) => ({ app, setup, artifacts: {}, env: {}, built: [] }) },
      strategy: bySize,
      facts: factsOf({ afterReply: 'extension', architecture: 'arm64' }),
      now: () => this.nowMs,
      run: { id: run, beganMs: this.nowMs, untilMs: this.nowMs + 10 * MINUTE, memoryMb: 1769 },
      hands: {
        served: () => this.#op(() => Object.entries(this.weights).map(([deployed, share]) => ({ deployed, share }))),
        sightings: (since) =>
          this.#op(() => ({
            lines: this.#lines.slice(Number(since ?? 0)),
            next: `${this.#lines.length}`,
          })),
        prepare: ({ setup }) =>
          this.#op(() => {
            this.done.push(`prepare ${memoryOf(setup)}`)
            this.ready.add(deployedOf(setup))
            return deployedOf(setup)
          }),
        share: (weights) =>
          this.#op(() => {
            for (const deployed of Object.keys(weights)) expect(this.ready).toContain(deployed)
            this.done.push('share')
            this.weights = { ...weights }
          }),
        serve: ({ setup }) =>
          this.#op(() => {
            this.done.push(`serve ${memoryOf(setup)}`)
            this.weights = { [deployedOf(setup)]: 1 }
          }),
      },
      store: {
        read: () => this.#op(() => structuredClone(this.#head)),
        write: (revision, head) =>
          this.#op(() => {
            if ((this.#head?.revision ?? 0) !== revision) return false
            this.#head = { revision: revision + 1, head: JSON.parse(JSON.stringify(head)) }
            return true
          }),
        readEvidence: (key) => this.#op(() => JSON.parse(this.#evidence.get(key) as string) as unknown),
        writeEvidence: (evidence) =>
          this.#op(() => {
            const key = `e${this.#evidence.size}`
            this.#evidence.set(key, JSON.stringify(evidence))
            return key
          }),
        removeEvidence: async () => {},
      },
    }
  }
}

/** Tries one size after the other. */
const bySize: Strategy = {
  ...{ name: 'list', source: '', first: () => ({ setup: setupOf(128), reasons: [], summary: 'first' }) },
  next(history) {
    const memory = sizes.find((size) => !history.some(({ setup }) => memoryOf(setup) === size))
    return memory === undefined ? null : { setup: setupOf(memory), reasons: [], summary: `${memory} MB` }
  },
}

const behaviours = fc
  .tuple(...sizes.map(() => fc.record({ ms: fc.integer({ min: 1, max: 200 }), fails: fc.boolean() })))
  .map((all) => Object.fromEntries(all.map((one, i) => [sizes[i], i === 0 ? { ...one, fails: false } : one])))

it('ends on the best that does not fail, wherever its runs end, and never leaves the app on a setup that is worse than the first', async () => {
  await fc.assert(
    fc.asyncProperty(behaviours, fc.array(fc.nat(40), { maxLength: 12 }), async (behaviour, ends) => {
      const world = new World(behaviour, setupOf(128))
      const first = behaviour[128]?.ms as number
      for (let lap = 0; lap < 40; lap++) {
        world.left = ends[lap] ?? Number.POSITIVE_INFINITY
        await runLap(world.tools(`${lap}`)).catch(() => {})
        world.left = Number.POSITIVE_INFINITY
        const { shares } = world
        expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
        const [most] = [...shares].sort((a, b) => b.share - a.share)
        const main = behaviour[most?.memory as number]
        expect(main?.fails).toBe(false)
        expect(main?.ms).toBeLessThanOrEqual(first)
        world.requests(ENOUGH * 5)
      }
      const { state } = world
      expect(state?.canary).toBeNull()
      expect(world.shares).toEqual([{ memory: memoryOf(state?.serving.setup as FusionSetup), share: 1 }])
      // What failed is not told to the strategy, which proposes it again; that ends it. Up to there all were tried.
      const failing = sizes.findIndex((size) => behaviour[size]?.fails)
      const sound = failing < 0 ? sizes : sizes.slice(0, failing)
      expect(behaviour[world.shares[0]?.memory as number]?.ms).toBe(
        Math.min(...sound.map((size) => behaviour[size]?.ms as number)),
      )
    }),
    { numRuns: 12 },
  )
}, 60_000)

it('of two runs at once one stops before it has changed anything', async () => {
  const behaviour = Object.fromEntries(sizes.map((size) => [size, { ms: 100, fails: false }]))
  const world = new World(behaviour, setupOf(128))
  await runLap(world.tools('first'))
  world.requests(ENOUGH)
  const both = await Promise.all([runLap(world.tools('a')), runLap(world.tools('b'))])
  expect(both.map(({ did }) => did).sort()).toEqual(['nothing', 'tried'])
  expect(world.done).toEqual(['prepare 192', 'share'])
})

it('begins anew when requests take another time than when they were measured, or when others deployed', async () => {
  const behaviour: Record<number, Behaviour> = Object.fromEntries(
    sizes.map((size) => [size, { ms: 100, fails: false }]),
  )
  const world = new World(behaviour, setupOf(128))
  for (let lap = 0; lap < 30 && !world.state?.isDone; lap++) {
    await runLap(world.tools(`${lap}`))
    world.requests(ENOUGH * 5)
  }
  expect(world.state).toMatchObject({ isDone: true, serving: { id: setupId(setupOf(128)) } })
  Object.assign(behaviour[128] as Behaviour, { ms: 300 })
  await runLap(world.tools('before'))
  world.requests(ENOUGH * 100)
  expect((await runLap(world.tools('after'))).did).toBe('started anew')
  expect(world.state?.isDone).toBe(false)
  world.weights = { 'another-code': 1 }
  expect((await runLap(world.tools('other'))).why).toMatch(/deploy again/)
})
