import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, Setting } from '../harness.js'
import { askProcess } from '../lib/peers.js'
import { median, quantile } from '../quantile.js'

const CONNECTIONS = 32
const BLOCKS = 12
const BLOCK_MS = 2000
const WARM_UP = 2
const QUICK = { blocks: 1, ms: 200, warmUp: 1 }

const setting: Setting = {
  role: 'ours',
  isolation: 'thread',
  transport: 'http, loopback',
  durability: 'journal',
  records: 'on',
  wait: 'park',
}
const cases = {
  fusionize: setting,
  'bare-hono': { ...setting, role: 'yardstick', isolation: 'process', durability: 'none', records: 'off' },
} satisfies Record<string, Setting>
type Case = keyof typeof cases

const bench: Bench = {
  method: `requests per second with ${CONNECTIONS} keep-alive connections, one request at a time on each, from a client in a process of its own, POST with {"n":1} and the same back: the local platform as it comes (records, journal) with a warm no-op entry in thread sandboxes of ${CONNECTIONS} requests at a time, and hono on @hono/node-server that answers by itself; each in a process of its own; blocks of ${BLOCK_MS} ms in turn, ${BLOCKS} of each after ${WARM_UP} of warm-up`,
  unit: 'requests/s',
  yardstick: 'bare-hono',
  cases,
  async run({ options, sample, samplesOf, more, finding }) {
    const dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-'))
    const { blocks, ms, warmUp } =
      options.quick === undefined ? { blocks: BLOCKS, ms: BLOCK_MS, warmUp: WARM_UP } : QUICK
    const servers = {
      fusionize: await askProcess('gateway-ours', [dir]),
      'bare-hono': await askProcess('gateway-hono'),
    }
    const client = (id: Case) => askProcess('load-client', [`${servers[id].about}/one`, String(CONNECTIONS), '{"n":1}'])
    const clients = { fusionize: await client('fusionize'), 'bare-hono': await client('bare-hono') }
    const latencies: Record<Case, number[]> = { fusionize: [], 'bare-hono': [] }
    try {
      for (let block = -warmUp; block < blocks; block++)
        for (const id of Object.keys(cases) as Case[]) {
          const [perSecond, ...us] = await clients[id].ask(ms)
          if (block < 0) continue
          sample(id, perSecond as number)
          for (const latency of us) latencies[id].push(latency)
        }
    } finally {
      await Promise.all([...Object.values(clients), ...Object.values(servers)].map((peer) => peer.close()))
      rmSync(dir, { recursive: true, force: true })
    }
    for (const id of Object.keys(cases) as Case[]) {
      const sorted = Float64Array.from(latencies[id]).sort()
      const at = (p: number) => Math.round(quantile(sorted, p))
      more(id, { requests: sorted.length, latencyUs: { p50: at(0.5), p95: at(0.95), p99: at(0.99) } })
    }
    const share = median(samplesOf('fusionize')) / median(samplesOf('bare-hono'))
    finding(`the whole platform serves ${(100 * share).toFixed(0)}% of what bare hono serves`)
  },
}
export default bench
