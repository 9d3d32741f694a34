import { writeChain } from '@fusionize/example-kit/microbench'
import { benchBySize } from '../lib/by-size.js'
import { makeApp } from '../lib/made-app.js'

/** The example's chain, whose ends tell how long it took. */
export default benchBySize(
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
