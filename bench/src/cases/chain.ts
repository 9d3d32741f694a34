import { writeChain } from '@fusionize/example-kit/microbench'
import type { Bench, BenchContext } from '../harness.js'
import { bareChain } from '../lib/bare-chain.js'
import { benchBySize } from '../lib/by-size.js'
import { makeApp } from '../lib/made-app.js'
import { median } from '../quantile.js'

/** The example's chain, whose ends tell how long it took. */
const bench = benchBySize(
  'from the first put of a session to the first statement of the last of N different tasks in a chain, each of which puts into the bucket that starts the next, by the clock that all processes share',
  {
    sizes: [1, 10, 100, 1000],
    longFrom: 1000,
    entry: 'chain',
    wait: 'park',
    targets: { 'fused-1000': 1, 'threads-1000': 8, 'processes-1000': 19.9 },
    pheromone: 'Pheromone 19.9 for 1,000',
    make: (n) => makeApp(`chain-${n}`, (dir) => writeChain(dir, n), { ...shared, ...lastStep(n) }),
  },
)

/** Steps of the bare chain, and how often it runs before and after the cases: the first runs compile its code. */
const BARE = { steps: 1000, runs: 200, warmUp: 100 }

export default {
  ...bench,
  async run(context: BenchContext) {
    const fused = `fused-${BARE.steps} none`
    const asked = context.options.quick === undefined && fused.includes(context.options.only ?? '')
    const bare = asked ? (await bareChain(BARE.steps, BARE.runs)).slice(BARE.warmUp) : []
    await bench.run(context)
    if (!asked) return
    bare.push(...(await bareChain(BARE.steps, BARE.runs)).slice(BARE.warmUp))
    const [bareMs, fusedMs] = [median(bare), median(context.samplesOf(fused))]
    context.finding(
      `${BARE.steps} different async functions that start one another in one thread, each with an AsyncLocalStorage of its own turn and a copy of its value, take ${bareMs.toFixed(2)} ms without fusionize (median of ${bare.length}, before and after); fused-${BARE.steps} takes ${(fusedMs / bareMs).toFixed(2)} times that`,
    )
  },
} satisfies Bench

const shared = {
  'lib/clock.ts': 'export const nowMs = () => Number(process.hrtime.bigint()) / 1e6\n',
  'buckets/chain/results.ts': `import { bucket } from 'fusionize'

export const chainResults = bucket<number>('chain-results')
`,
  'tasks/chain/chain.ts': `import { task } from 'fusionize'
import { hop0001 } from '../../buckets/chain/hop-0001'
import { chainResults } from '../../buckets/chain/results'
import { nowMs } from '../../lib/clock'

export default task('chain', { http: 'POST /chain', result: chainResults }, async () => {
  await hop0001.put('walk', { start: nowMs(), now: 0 })
})
`,
}

function lastStep(n: number): Record<string, string> {
  const name = `step-${String(n).padStart(4, '0')}`
  return {
    [`tasks/chain/${name}.ts`]: `import { type BucketObject, task } from 'fusionize'
import { chainResults } from '../../buckets/chain/results'
import { nowMs } from '../../lib/clock'
import type { Walk } from '../../lib/walk'

export default task('${name}', async (object: BucketObject<Walk>) => {
  const at = nowMs()
  const { start, now } = object.value
  if (now !== ${n - 1}) throw new Error(\`the last of ${n} tasks is number \${now + 1}\`)
  await chainResults.put('ms', at - start)
})
`,
  }
}
