import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  arrivals,
  type Evidence,
  type LoadedApp,
  loadApp,
  meanRps,
  openOwnPlatform,
  pool,
} from '@fusionize/cli/control'
import { fileStore, type Store } from '@fusionize/example-kit'
import { checkShop } from '@fusionize/example-kit/shop'
import type { Bench, BenchContext } from '../harness.js'
import { emulationOf, equalSetups, OFFERED_LIMIT, PROBE_REQUESTS, role } from '../load/compare.js'
import { figuresOf, serveInTurn } from '../load/in-turn.js'
import { findSetups, type StrategyName, strategyNames } from '../load/setups.js'

/** What each customer does, one after the other, as the load of the application's configuration says. */
const actions = ['add', 'home', 'checkout'] as const
type Action = (typeof actions)[number]

const BLOCKS = 3
const WARM_UP_SECONDS = 2

const bench: Bench = {
  method:
    "the load 'steady' of the web shop's configuration (each customer adds to the cart, looks at the shop, and buys), open loop from a process of its own, over HTTP, " +
    'latency from the intended arrival to the last byte; process sandboxes with CPU shares, all setups on the same platform in turn, ' +
    `${BLOCKS} blocks in all, each after ${WARM_UP_SECONDS} s of warm-up and with customers of its own; remote and all-fused at the configured memory, published, closure and ` +
    'plan at what they adopted after a steady load; no emulation unless --emulate says so',
  unit: 'ms',
  cases: Object.fromEntries(
    strategyNames.flatMap((strategy) =>
      [strategy, ...actions.map((action) => `${strategy}-${action}`)].map((name) => [name, role(strategy)]),
    ),
  ),
  async run(context) {
    const store = mkdtempSync(join(tmpdir(), 'fusionize-webshop-'))
    process.env.WEBSHOP_STORE = store
    try {
      await compare(context)
      context.finding(await checkedBooks(fileStore(() => store)))
    } finally {
      rmSync(store, { recursive: true, force: true })
    }
  },
}

export default bench

async function compare({ options, sample, more, finding, progress }: BenchContext): Promise<void> {
  const quick = options.quick !== undefined
  const loaded = await loadApp(fileURLToPath(new URL('../../../examples/webshop', import.meta.url)))
  const app = await loaded.scan()
  const { platform, close } = await openOwnPlatform(loaded, emulationOf(options.emulate))
  try {
    const requests = quick ? 12 : PROBE_REQUESTS
    const setups = await findSetups(loaded, app, platform, { stored: options.setups, requests, progress })
    const profile = loaded.config.load.profiles.steady
    const rps = meanRps(profile)
    const blocks = quick ? 1 : BLOCKS
    const plan = wholeVisits(arrivals(profile)).slice(0, quick ? 12 : undefined)
    // Customers of their own: to buy the same again is to be told what was bought.
    const firstRequest = (block: number, turn: number) => (1 + block * strategyNames.length + turn) * plan.length
    const served = await serveInTurn(loaded, app, platform, {
      setups,
      plan,
      blocks,
      lab: { rps, warmUpSeconds: quick ? 0 : WARM_UP_SECONDS, forceCold: false },
      firstRequest,
      progress: (text) => progress(`webshop, ${text}`),
    })
    const facts = platform.facts()
    const offered = (strategy: StrategyName) =>
      served[strategy].cpuMs / 1000 / (blocks * (plan.length / rps + WARM_UP_SECONDS)) / availableParallelism()
    for (const [turn, strategy] of strategyNames.entries()) {
      const { evidence } = served[strategy]
      for (const [block, one] of evidence.entries())
        for (const { action, latencyMs } of answered(loaded, one, firstRequest(block, turn))) {
          sample(strategy, latencyMs)
          sample(`${strategy}-${action}`, latencyMs)
        }
      more(strategy, { ...figuresOf(app, setups[strategy], pool(evidence), facts), offeredCpu: offered(strategy) })
    }
    const most = Math.max(...strategyNames.map(offered))
    finding(
      `the load offered at most ${Math.round(most * 100)}% of the machine's CPU, its client and the platform included${most > OFFERED_LIMIT ? `; above ${OFFERED_LIMIT * 100}% requests wait for the machine, so these latencies are not the setups'` : ''}`,
    )
    if (!facts.cpuShareEnforced) finding(`cost is null: ${facts.cpuShareReason}`)
    for (const line of equalSetups(setups, app)) finding(line)
  } finally {
    await close()
  }
}

/** @throws {Error} when they are wrong, or empty */
async function checkedBooks(store: Store): Promise<string> {
  const problems = await checkShop(store)
  if (problems.length > 0) throw new Error(`the shop's books are wrong: ${problems.slice(0, 5).join('; ')}`)
  const orders = (await store.list('orders/')).length
  if (orders === 0) throw new Error('nobody bought anything')
  return `the shop's books are right: each of ${orders} orders adds up, was taken out of one cart, shipped and announced`
}

/** Cut so that the last customer buys, too. */
function wholeVisits(starts: number[]): number[] {
  return starts.slice(0, starts.length - (starts.length % actions.length))
}

/** What was asked in each request that was answered, and how long it took. */
function answered(loaded: LoadedApp, { samples }: Evidence, first: number): { action: Action; latencyMs: number }[] {
  const { request } = loaded.config.load
  if (!request) throw new Error(`'${loaded.name}' has no load`)
  return samples.flatMap(({ index, latencyMs, error }) => {
    const { action } = request(first + index, Math.random).input as { action: Action }
    return error === undefined ? [{ action, latencyMs }] : []
  })
}
