import { type Code, writeCode } from './code.js'

/**
 * Writes an application of two entries that put objects at once, have a task run for each, and join what comes of them: `fan-out`, for a
 * number that the request says (a join declared at run time), and `fan-set`, for always `n` (a fixed set). The files go to `tasks/`,
 * `buckets/` and `lib/` in `dir`.
 * @param n objects of the fixed set, 1 or more
 */
export function writeFanOut(dir: string, n: number): void {
  writeCode(dir, fanOutCode(n))
}

/** What {@link writeFanOut} writes. */
export function fanOutCode(n: number): Code {
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`a fan-out to ${n} tasks; it needs 1 or more`)
  return {
    'lib/fan.ts': fan,
    ...variant('fan-out', dynamicEntry, "import { bucket, dynamicJoin } from 'fusionize'", 'dynamicJoin()'),
    ...variant('fan-set', setEntry(n), setImports, `bySet(keysOf(${n}))`),
  }
}

const fan = `/** One of the objects that are put at once. */
export interface Item {
  index: number
  /** How many there are. */
  of: number
}

/** What comes of an item. */
export interface Part extends Item {
  square: number
}

export interface Total {
  parts: number
  sum: number
}

/** Keys of the parts, in order. */
export function keysOf(n: number): string[] {
  return Array.from({ length: n }, (_, index) => \`part-\${index}\`)
}

/** Adds up the parts. @throws {Error} unless each is there once, in order, and the sum is that of the first n squares */
export function totalOf(parts: readonly Part[]): Total {
  const n = parts.length
  for (const [i, { index, of, square }] of parts.entries())
    if (index !== i || of !== n || square !== i * i)
      throw new Error(\`part \${i} of \${n} is number \${index} of \${of} with the square \${square}\`)
  const sum = parts.reduce((total, { square }) => total + square, 0)
  if (sum * 6 !== (n - 1) * n * (2 * n - 1)) throw new Error(\`the first \${n} squares do not add up to \${sum}\`)
  return { parts: n, sum }
}
`

const dynamicEntry = `import { task } from 'fusionize'
import { fanOutItems } from '../../buckets/fan-out/items'
import { fanOutParts } from '../../buckets/fan-out/parts'
import { fanOutResults } from '../../buckets/fan-out/results'
import { keysOf } from '../../lib/fan'

/** Puts \`n\` objects at once; their join replies. */
export default task('fan-out', { http: 'POST /fan-out', result: fanOutResults }, async ({ n }: { n: number }) => {
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(\`n is \${n}; give a whole number of objects, 1 or more\`)
  const keys = keysOf(n)
  await fanOutParts.expect(keys)
  await Promise.all(keys.map((key, index) => fanOutItems.put(key, { index, of: n })))
})
`

function setEntry(n: number): string {
  return `import { task } from 'fusionize'
import { fanSetItems } from '../../buckets/fan-set/items'
import { fanSetResults } from '../../buckets/fan-set/results'
import { keysOf } from '../../lib/fan'

/** Puts ${n} objects at once; their join replies. */
export default task('fan-set', { http: 'POST /fan-set', result: fanSetResults }, async () => {
  await Promise.all(keysOf(${n}).map((key, index) => fanSetItems.put(key, { index, of: ${n} })))
})
`
}

const setImports = "import { bucket, bySet } from 'fusionize'"

function variant(name: string, entry: string, imports: string, trigger: string): Code {
  const names = name === 'fan-out' ? 'fanOut' : 'fanSet'
  const lib = trigger.includes('keysOf') ? 'keysOf, type Part' : 'Part'
  return {
    [`tasks/${name}/${name}.ts`]: entry,
    [`tasks/${name}/item.ts`]: `import { type BucketObject, task } from 'fusionize'
import { ${names}Parts } from '../../buckets/${name}/parts'
import type { Item } from '../../lib/fan'

export default task('${name}-item', async ({ key, value: { index, of } }: BucketObject<Item>) => {
  await ${names}Parts.put(key, { index, of, square: index * index })
})
`,
    [`tasks/${name}/join.ts`]: `import { type BucketObject, task } from 'fusionize'
import { ${names}Results } from '../../buckets/${name}/results'
import { type Part, totalOf } from '../../lib/fan'

/** Checks and adds up what came of all objects. */
export default task('${name}-join', async (parts: BucketObject<Part>[]) => {
  await ${names}Results.put('total', totalOf(parts.map(({ value }) => value)))
})
`,
    [`buckets/${name}/items.ts`]: `import { bucket, immediate } from 'fusionize'
import type { Item } from '../../lib/fan'
import item from '../../tasks/${name}/item'

export const ${names}Items = bucket<Item>('${name}-items').on(immediate(), item)
`,
    [`buckets/${name}/parts.ts`]: `${imports}
import ${lib === 'Part' ? 'type { Part }' : `{ ${lib} }`} from '../../lib/fan'
import join from '../../tasks/${name}/join'

export const ${names}Parts = bucket<Part>('${name}-parts').on(${trigger}, join)
`,
    [`buckets/${name}/results.ts`]: `import { bucket } from 'fusionize'
import type { Total } from '../../lib/fan'

export const ${names}Results = bucket<Total>('${name}-results')
`,
  }
}
