import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, Case } from '../harness.js'
import { askProcess } from '../lib/peers.js'
import { median } from '../quantile.js'

const BLOCK_MS = 2000
const BLOCKS = 15
const WARM_UP = 1
/** Until threads that spin have parked, so that they take nothing from the next case. */
const PARKED_MS = 1200
const QUICK = { ms: 200, blocks: 1, warmUp: 0 }

/** What is promised with durability `none`, requests/s. */
const targets: Record<string, number> = {
  'threads-1': 8_000,
  'threads-1-spin': 15_000,
  'threads-128': 40_000,
  'processes-128': 20_000,
}

const cases: Record<string, Case> = {}
for (const id of Object.keys(targets))
  for (const durability of ['none', 'journal'] as const) {
    const isolation = id.startsWith('threads') ? 'thread' : 'process'
    const wait = id.endsWith('spin') ? 'spin' : 'park'
    const transport = `unix socket, ${isolation === 'thread' ? 'message-port' : 'socket'}`
    const setting = { role: 'ours', isolation, transport, durability, records: 'on', wait } as const
    cases[`${id} ${durability}`] = { case: id, ...setting }
  }

const bench: Bench = {
  method: `requests per second to a warm no-op task with a reply, from a client in a process of its own over the platform's socket (local.socket), one connection, one frame and one write a request; as many requests in flight as the case's id says, each followed by the next as soon as it is answered; the task in one sandbox of 1769 MB that takes 128 at a time; a sample is the rate of a window of 100 ms; blocks of ${BLOCK_MS} ms in turn, ${BLOCKS} of each case after ${WARM_UP} of warm-up; every answer is checked`,
  unit: 'requests/s',
  cases,
  async run({ options, sample, samplesOf, more, finding }) {
    const { ms, blocks, warmUp } =
      options.quick === undefined ? { ms: BLOCK_MS, blocks: BLOCKS, warmUp: WARM_UP } : QUICK
    const names = Object.keys(cases).filter((name) => name.includes(options.only ?? ''))
    const dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-'))
    const runs = await Promise.all(names.map((name, i) => open(name, cases[name] as Case, join(dir, String(i)))))
    try {
      for (let block = -warmUp; block < blocks; block++)
        for (const run of runs) {
          const { wait } = cases[run.name] as Case
          const [requests = 0, p50 = 0, p95 = 0, p99 = 0, ...rates] = await run.client.ask(ms)
          if (wait === 'spin') await sleep(PARKED_MS)
          if (block < 0) continue
          for (const rate of rates) sample(run.name, rate)
          run.blocks.push({ requests, p50, p95, p99 })
        }
    } finally {
      await Promise.all(runs.map(({ client }) => client.close()))
      await Promise.all(runs.map(({ server }) => server.close()))
      rmSync(dir, { recursive: true, force: true })
    }
    for (const { name, blocks } of runs) {
      const of = (key: keyof Block) => blocks.map((block) => block[key])
      const [p50, p95, p99] = (['p50', 'p95', 'p99'] as const).map((key) => Math.round(median(of(key))))
      more(name, { requests: of('requests').reduce((sum, n) => sum + n, 0), latencyUs: { p50, p95, p99 } })
    }
    for (const [id, target] of Object.entries(targets)) {
      if (!names.includes(`${id} none`)) continue
      const rate = median(samplesOf(`${id} none`))
      finding(`${id}: ${rate.toFixed(0)} requests/s without a journal (median; promised ${target})`)
    }
  },
}
export default bench

interface Block {
  requests: number
  /** Quantiles of the latency, us. */
  p50: number
  p95: number
  p99: number
}

async function open(name: string, { case: id = '', isolation, durability, wait }: Case, dir: string) {
  const settings = { isolation: isolation === 'thread' ? 'threads' : 'processes', durability, spin: wait === 'spin' }
  const server = await askProcess('socket-ours', [dir, JSON.stringify(settings)])
  const client = await askProcess('socket-client', [server.about, /\d+/.exec(id)?.[0] ?? '1'])
  return { name, server, client, blocks: [] as Block[] }
}
