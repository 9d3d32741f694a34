import { type Code, writeCode } from './code.js'

/**
 * Writes an application of `n` tasks that pass a number on through `n` buckets: entry `chain`, then `step-0001` to the last, which checks
 * that the number has grown by `n` and replies. The files go to `tasks/chain` and `buckets/chain` in `dir`.
 * @param n 1 to 9999
 */
export function writeChain(dir: string, n: number): void {
  writeCode(dir, chainCode(n))
}

/** What {@link writeChain} writes. */
export function chainCode(n: number): Code {
  if (!Number.isSafeInteger(n) || n < 1 || n > 9999)
    throw new RangeError(`a chain of ${n} steps; it has 1 to 9999 of them`)
  const code: Code = {
    'buckets/chain/results.ts': results,
    'lib/walk.ts': walk,
    'tasks/chain/chain.ts': entry,
  }
  for (let i = 1; i <= n; i++) {
    code[`buckets/chain/hop-${four(i)}.ts`] = hop(i)
    code[`tasks/chain/step-${four(i)}.ts`] = i < n ? step(i) : lastStep(n)
  }
  return code
}

const results = `import { bucket } from 'fusionize'
import type { Walk } from '../../lib/walk'

/** Where the last step of the chain puts the reply. */
export const chainResults = bucket<Walk>('chain-results')
`

const walk = `/** What goes along the chain. */
export interface Walk {
  start: number
  /** One more after every step. */
  now: number
}
`

const entry = `import { task } from 'fusionize'
import { hop0001 } from '../../buckets/chain/hop-0001'
import { chainResults } from '../../buckets/chain/results'

/** Begins the chain; its last step replies. */
export default task('chain', { http: 'POST /chain', result: chainResults }, async ({ start }: { start: number }) => {
  await hop0001.put('walk', { start, now: start })
})
`

function hop(i: number): string {
  return `import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-${four(i)}'

export const hop${four(i)} = bucket<Walk>('hop-${four(i)}').on(immediate(), step)
`
}

function step(i: number): string {
  const next = four(i + 1)
  return `import { type BucketObject, task } from 'fusionize'
import { hop${next} } from '../../buckets/chain/hop-${next}'
import type { Walk } from '../../lib/walk'

export default task('step-${four(i)}', async ({ value: { start, now } }: BucketObject<Walk>) => {
  await hop${next}.put('walk', { start, now: now + 1 })
})
`
}

function lastStep(n: number): string {
  return `import { type BucketObject, task } from 'fusionize'
import { chainResults } from '../../buckets/chain/results'
import type { Walk } from '../../lib/walk'

/** Checks that every step was taken once. */
export default task('step-${four(n)}', async ({ value: { start, now } }: BucketObject<Walk>) => {
  const end = now + 1
  if (end !== start + ${n}) throw new Error(\`the chain led from \${start} to \${end}, not ${n} steps on\`)
  await chainResults.put('walk', { start, now: end })
})
`
}

function four(i: number): string {
  return String(i).padStart(4, '0')
}
