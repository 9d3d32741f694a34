import type { LocalPlatform } from '@fusionize/local'
import { spanId } from 'fusionize/record'
import type { Bench, Setting } from '../harness.js'
import { invoke, serve } from '../lib/app.js'
import { askProcess, askThreads, type Peer } from '../lib/peers.js'
import { recordsSince } from '../lib/read-records.js'
import { median } from '../quantile.js'

const CALLS = 100
const ROUNDS = 40
const QUICK_ROUNDS = 2
const WARM_UP = 10

const ours = { role: 'ours', durability: 'none', records: 'on', wait: 'park' } as const
const cases = {
  'call-threads': { ...ours, isolation: 'thread', transport: 'message-port' },
  'call-processes': { ...ours, isolation: 'process', transport: 'socket' },
  'message-port': { ...ours, role: 'yardstick', isolation: 'thread', transport: 'message-port', records: 'off' },
  'fastify-processes': { ...ours, role: 'peer', isolation: 'process', transport: 'http, loopback', records: 'off' },
} satisfies Record<string, Setting>
type Case = keyof typeof cases

const bench: Bench = {
  method: `a task calls a remote task ${CALLS} times, one after the other, warm, at 1769 MB: the caller's wait less the time that the callee's own code took, both by their clocks; fastify-processes: a process calls a fastify server in another one over loopback, keep-alive, JSON both ways, the faster of node:http and fetch, less its handler's time; message-port: a round trip of a string between two parked threads; cases alternate, ${ROUNDS} rounds after ${WARM_UP} of warm-up`,
  unit: 'us',
  yardstick: 'message-port',
  cases,
  async run({ options, sample, samplesOf, more, finding }) {
    const threads = await serve('calls', { isolation: 'threads', durability: 'none' })
    const processes = await serve('calls', { isolation: 'processes', durability: 'none' })
    const ports = askThreads()
    const fastify = await askProcess('fastify-client')
    const askPlatform = (platform: LocalPlatform) => (calls: number) => invoke<number[]>(platform, 'caller', calls)
    const asks: Record<Case, Peer['ask']> = {
      'call-threads': askPlatform(threads.platform),
      'call-processes': askPlatform(processes.platform),
      'message-port': ports.ask,
      'fastify-processes': fastify.ask,
    }
    const rounds = options.quick === undefined ? ROUNDS : QUICK_ROUNDS
    try {
      for (let round = options.quick === undefined ? -WARM_UP : -1; round < rounds; round++)
        for (const id of Object.keys(asks) as Case[]) {
          const overheads = await asks[id](CALLS)
          if (round >= 0) for (const us of overheads) sample(id, us)
        }
      for (const [id, { platform }] of [
        ['call-threads', threads],
        ['call-processes', processes],
      ] as const) {
        await platform.drained()
        more(id, { p50ByRecords: await overheadByRecords(platform) })
      }
      more('fastify-processes', { client: fastify.about })
    } finally {
      await Promise.all([threads.close(), processes.close(), ports.close(), fastify.close()])
    }
    const p50 = (id: Case) => median(samplesOf(id))
    for (const id of ['call-threads', 'call-processes'] as const)
      finding(
        `${id} is ${(p50('fastify-processes') / p50(id)).toFixed(1)} times as fast as fastify-processes (medians)`,
      )
  },
}
export default bench

/** p50 in us by our records: the caller's span less the callee's invocation until its reply. */
async function overheadByRecords(platform: LocalPlatform): Promise<number> {
  const { records } = await recordsSince(platform)
  const callees = new Map(records.filter(({ parent }) => parent).map((record) => [record.parent, record]))
  const overheads = records.flatMap((caller) =>
    caller.spans.flatMap((span, i) => {
      const callee = span.route === 'remote' ? callees.get(spanId(caller.span, i)) : undefined
      return callee ? [(span.end - span.start - callee.reply) * 1000] : []
    }),
  )
  return median(overheads)
}
