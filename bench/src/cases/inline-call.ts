import { task } from 'fusionize'
import { createHandler, type Handler } from 'fusionize/runtime'
import type { Bench, Setting } from '../harness.js'
import { pairwise } from '../quantile.js'

const FRAMES = 100
const CALLS = 200
const ROUNDS = 400
const WARM_UP = 40
const QUICK = { rounds: 2, warmUp: 1 }

const setting: Setting = {
  role: 'ours',
  isolation: 'sandbox',
  transport: 'none',
  durability: 'none',
  records: 'on',
  wait: 'park',
}

/** About 1 kB of JSON: 20 objects of four fields. */
const kilobyte = {
  items: Array.from({ length: 20 }, (_, i) => ({ id: i, name: `item ${i}`, price: i * 3, tags: ['a', 'b'] })),
}

const bare = async (input: { n: number }) => input.n
const leaf = task('leaf', async (input: { n: number }) => input.n)
const leaf1kb = task('leaf-1kb', async (input: typeof kilobyte) => input.items.length)

/** The same loop in the same place, with nothing but the callee changed. */
const loops = {
  'bare-await': task('bare-await', async (calls: number) => {
    let sum = 0
    for (let i = 0; i < calls; i++) sum += await bare({ n: 1 })
    return sum
  }),
  inline: task('inline', async (calls: number) => {
    let sum = 0
    for (let i = 0; i < calls; i++) sum += await leaf({ n: 1 })
    return sum
  }),
  'inline-1kb': task('inline-1kb', async (calls: number) => {
    let sum = 0
    for (let i = 0; i < calls; i++) sum += await leaf1kb(kilobyte)
    return sum
  }),
}
type Case = keyof typeof loops
const cases = Object.keys(loops) as Case[]

const bench: Bench = {
  method: `one sandbox's handler with ${FRAMES} requests in flight, each a loop of ${CALLS} awaits of an async function that returns a field of its input; time of a whole round, its ${FRAMES} records written included, divided by ${FRAMES * CALLS}; cases alternate, ${WARM_UP} rounds of warm-up`,
  unit: 'ns',
  yardstick: 'bare-await',
  cases: { 'bare-await': { ...setting, role: 'yardstick' }, inline: setting, 'inline-1kb': setting },
  async run({ options, sample, samplesOf, more, finding }) {
    let recordBytes = 0
    const handler = createHandler(
      {
        app: 'bench',
        function: 'inline',
        tasks: [leaf, leaf1kb, ...Object.values(loops)],
        inline: { call: ['leaf', 'leaf-1kb'], send: [], map: [] },
        leaves: ['leaf', 'leaf-1kb', 'bare-await'],
      },
      { setup: 'bench', sandbox: '1', memory: 1769, sampleCpuEvery: 10, timeoutMs: 60_000, dev: false },
      {
        call: unreachable,
        send: unreachable,
        bucket: unreachable,
        object: unreachable,
        share: unreachable,
        begin: unreachable,
        release: unreachable,
        mirror: unreachable,
        result: unreachable,
        log: () => {},
      },
    )
    const { rounds, warmUp } = options.quick === undefined ? { rounds: ROUNDS, warmUp: WARM_UP } : QUICK
    for (let round = -warmUp; round < rounds; round++)
      for (const id of cases) {
        const began = performance.now()
        await Promise.all(
          Array.from({ length: FRAMES }, (_, i) =>
            request(handler, id, `${round}-${i}`, (line) => (recordBytes += line.length)),
          ),
        )
        if (round >= 0) sample(id, ((performance.now() - began) * 1e6) / (FRAMES * CALLS))
      }
    more('inline', { recordBytesPerCall: Math.round(recordBytes / ((rounds + warmUp) * FRAMES * 2 * CALLS)) })
    const added = pairwise(samplesOf('inline'), samplesOf('bare-await'))
    finding(`inline costs ${added.toFixed(0)} ns over bare-await (median of ${rounds} pairs; budget 300)`)
    const added1kb = pairwise(samplesOf('inline-1kb'), samplesOf('bare-await'))
    finding(`inline-1kb costs ${added1kb.toFixed(0)} ns over bare-await: the callee gets a copy of its kilobyte`)
  },
}
export default bench

function request(handler: Handler, task: Case, id: string, onRecord: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = {
      id,
      session: id,
      task,
      mode: 'call' as const,
      input: String(CALLS),
      external: false,
      attempt: 1,
      deadline: Date.now() + 60_000,
      trace: '1'.repeat(32),
      parent: null,
      cold: null,
    }
    handler.run(request, {
      reply: (outcome) => {
        if (!outcome.ok) reject(new Error(outcome.error.message))
        return undefined
      },
      settled: () => undefined,
      done: (lines) => {
        onRecord(lines())
        resolve()
      },
    })
  })
}

function unreachable(): never {
  throw new Error('nothing is remote here')
}
