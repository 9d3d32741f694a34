import { writeFanOut } from '@fusionize/example-kit/microbench'
import { benchBySize } from '../lib/by-size.js'
import { makeApp } from '../lib/made-app.js'

/** The example's fan-out into a fixed set, whose ends tell how long it took. */
export default benchBySize(
  'from the first of N puts of a session, each of which starts a task that puts a part, to the first statement of the task that bySet starts with all N parts, by the clock that all processes share',
  {
    sizes: [2, 8, 32, 128, 512, 1024, 4000],
    longFrom: 512,
    entry: 'fan-set',
    wait: 'park',
    targets: { 'fused-32': 0.3, 'threads-32': 1, 'processes-32': 2.6 },
    pheromone: 'Pheromone 2.6 for 32',
    make: (n) => makeApp(`fan-out-${n}`, (dir) => writeFanOut(dir, n), tasksOf(n)),
  },
)

function tasksOf(n: number): Record<string, string> {
  return {
    'lib/clock.ts': 'export const nowMs = () => Number(process.hrtime.bigint()) / 1e6\n',
    'buckets/fan-set/results.ts': `import { bucket } from 'fusionize'

export const fanSetResults = bucket<number>('fan-set-results')
`,
    'tasks/fan-set/fan-set.ts': `import { task } from 'fusionize'
import { fanSetItems } from '../../buckets/fan-set/items'
import { fanSetResults } from '../../buckets/fan-set/results'
import { nowMs } from '../../lib/clock'
import { keysOf } from '../../lib/fan'

const keys = keysOf(${n})

export default task('fan-set', { http: 'POST /fan-set', result: fanSetResults }, async () => {
  const began = nowMs()
  await Promise.all(keys.map((key, index) => fanSetItems.put(key, { index, of: ${n}, began })))
})
`,
    'tasks/fan-set/item.ts': `import { type BucketObject, task } from 'fusionize'
import { fanSetParts } from '../../buckets/fan-set/parts'

export default task('fan-set-item', async ({ key, value }: BucketObject<{ index: number }>) => {
  await fanSetParts.put(key, { ...value, square: value.index * value.index })
})
`,
    'tasks/fan-set/join.ts': `import { type BucketObject, task } from 'fusionize'
import { fanSetResults } from '../../buckets/fan-set/results'
import { nowMs } from '../../lib/clock'
import { type Part, totalOf } from '../../lib/fan'

export default task('fan-set-join', async (parts: BucketObject<Part & { began: number }>[]) => {
  const at = nowMs()
  const [first] = parts
  if (totalOf(parts.map(({ value }) => value)).parts !== ${n}) throw new Error('not all parts are there')
  await fanSetResults.put('ms', at - first.value.began)
})
`,
  }
}
