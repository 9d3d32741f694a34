import type { Builder } from '@fusionize/platform'
import { type FunctionSpec, type FusionSetup, remoteSetup } from 'fusionize/setup'
import type { Bench, Case } from '../harness.js'
import { invoke, type Served, serveBuild } from '../lib/app.js'
import { makeApp } from '../lib/made-app.js'
import { recordsSince } from '../lib/read-records.js'
import { median } from '../quantile.js'

const ITEMS = 16
/** Of a hash: some 4 ms on a core of 2024. */
const COMPUTE_STEPS = 5_000_000
const WAIT_MS = 4
/** Two cores. */
const MEMORY_MB = 3008
const ROUNDS = 10
const MAPS = 10
const QUICK = { rounds: 1, maps: 2 }
const LOOKED_AT = 5

const inline = { call: [], send: [], map: ['compute', 'wait'] }
const bundle = (items: number) => ({ main: { bundle: { compute: items, wait: items } } })
/** What each case changes in the setup with every task apart. */
const changes: Record<string, Record<string, Partial<FunctionSpec>>> = {
  'inline-loop': { main: { inline, parallel: 'loop' } },
  'inline-threads': { main: { inline, parallel: 'threads' } },
  'inline-processes': { main: { inline, parallel: 'processes' } },
  inline: { main: { inline } },
  'remote-1': bundle(1),
  'remote-4': bundle(4),
  'remote-16': bundle(16),
}
const kinds = ['compute', 'wait'] as const

const setting = {
  role: 'ours',
  isolation: 'process',
  transport: 'socket',
  durability: 'none',
  records: 'on',
  wait: 'park',
} as const
const cases: Record<string, Case> = Object.fromEntries(
  kinds.flatMap((kind) =>
    Object.keys(changes).map((name) => [
      `${kind}-${name}`,
      { ...setting, transport: name.startsWith('inline') ? 'none' : 'socket' },
    ]),
  ),
)

const bench: Bench = {
  method: `a task maps over ${ITEMS} items, by its own clock: compute takes ${COMPUTE_STEPS / 1e6} million steps of a hash, wait sleeps ${WAIT_MS} ms; sandboxes are processes of ${MEMORY_MB} MB, two cores each by their share. inline: in the caller's function, on the event loop, on threads, in processes, or as it finds out itself; remote-N: N items an invocation, run as the callee finds out itself. Cases in turn, ${ROUNDS} rounds of ${MAPS} maps after one of warm-up; beside each row the invocations that a map makes, and its items that ran in a pool (means)`,
  unit: 'ms',
  cases,
  async run({ options, sample, samplesOf, more, finding, progress }) {
    const quick = options.quick !== undefined
    const builder = makeApp('map', () => {}, sources)
    const served = new Map<string, Served>()
    try {
      for (const [name, change] of Object.entries(changes)) served.set(name, await open(builder, change))
      await builder.dispose()
      for (let round = -1; round < (quick ? QUICK.rounds : ROUNDS); round++) {
        for (const [name, { platform }] of served)
          for (const kind of kinds)
            for (let i = 0; i < (quick ? QUICK.maps : MAPS); i++) {
              const ms = await invoke<number>(platform, 'main', { kind, items: ITEMS })
              await platform.drained()
              if (round >= 0) sample(`${kind}-${name}`, ms)
            }
        progress(`round ${round + 1} is done`)
      }
      for (const [name, one] of served) for (const kind of kinds) more(`${kind}-${name}`, await figures(one, kind))
    } finally {
      await Promise.all([...served.values()].map(({ close }) => close()))
    }
    const ms = (id: string) => median(samplesOf(id)).toFixed(1)
    for (const kind of kinds)
      finding(
        `${kind}, ${ITEMS} items (medians, ms): ${Object.keys(changes)
          .map((name) => `${name} ${ms(`${kind}-${name}`)}`)
          .join(', ')}`,
      )
  },
}
export default bench

async function open(builder: Builder, change: Record<string, Partial<FunctionSpec>>): Promise<Served> {
  const setup: FusionSetup = remoteSetup(await builder.scan(), MEMORY_MB)
  for (const [name, spec] of Object.entries(change))
    setup.functions[name] = { ...(setup.functions[name] as FunctionSpec), ...spec }
  return serveBuild(await builder.build(setup), { isolation: 'processes', durability: 'none', maxSandboxes: ITEMS + 1 })
}

/** What records say of maps of this kind. */
async function figures({ platform }: Served, kind: string): Promise<Record<string, number>> {
  const { next } = await recordsSince(platform)
  for (let i = 0; i < LOOKED_AT; i++) {
    await invoke(platform, 'main', { kind, items: ITEMS })
    await platform.drained()
  }
  const { records } = await recordsSince(platform, next)
  const pooled = records.flatMap(({ spans }) => spans).filter((span) => span.pooled).length
  return { invocations: records.length / LOOKED_AT, pooled: pooled / LOOKED_AT }
}

const sources = {
  'tasks/main.ts': `import { task } from 'fusionize'
import compute from './compute'
import wait from './wait'

export default task('main', { http: 'POST /main' }, async ({ kind, items }: { kind: string; items: number }) => {
  const given = Array.from({ length: items }, (_, i) => i)
  const began = performance.now()
  const done = await (kind === 'compute' ? compute.map(given) : wait.map(given))
  if (done.some((i, at) => i !== at)) throw new Error('results are not in order')
  return performance.now() - began
})
`,
  'tasks/compute.ts': `import { task } from 'fusionize'

export default task('compute', async (i: number) => {
  let hash = i
  for (let step = 0; step < ${COMPUTE_STEPS}; step++) hash = (Math.imul(hash, 31) + step) | 0
  return hash === -1 ? -1 : i
})
`,
  'tasks/wait.ts': `import { setTimeout as pause } from 'node:timers/promises'
import { task } from 'fusionize'

export default task('wait', async (i: number) => {
  await pause(${WAIT_MS})
  return i
})
`,
}
