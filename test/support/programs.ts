import fc from 'fast-check'
import type { Step } from '../fixtures/buckets-app/lib/program.js'

export type { Step }

type Program = Step[]

/** Programs for the fixture `buckets-app`: puts into every bucket, by one task or several, some of them refused. */
export function programArbitrary(name: string): fc.Arbitrary<Program> {
  const { program } = fc.letrec<{ program: Program; nested: Step }>((tie) => ({
    nested: tie('program').map((steps): Step => ({ call: steps })),
    program: fc.array(
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        {
          weight: 12,
          arbitrary: fc.oneof(
            put('each', 'abc'),
            put('pair', 'abcd'),
            put('pages', 'abcdefgh'),
            put('race', 'abcd'),
            put('every', 'abcd'),
          ),
        },
        { weight: 3, arbitrary: put('parts', 'abc') },
        { weight: 2, arbitrary: join },
        { weight: 2, arbitrary: fc.oneof(put('readings', 'k'), put('clicks', 'k')) },
        { weight: 1, arbitrary: get },
        { weight: 1, arbitrary: fc.constant<Step>({ call: [{ fail: 'on purpose' }] }) },
        { weight: 3, arbitrary: tie('nested') },
      ),
      { minLength: 1, maxLength: 9, size: 'max' },
    ),
  }))
  return fc
    .tuple(program, shuffleArbitrary, laterArbitrary, fc.boolean())
    .map(([steps, shuffle, later, fails]) => distinct(name, [...shuffle, ...later, ...steps, ...end(fails)]))
}

/** Now and then the whole request fails: what it has put counts all the same. */
function end(fails: boolean): Step[] {
  return fails ? [{ fail: 'at the end' }] : []
}

function put(bucket: 'each' | 'pair' | 'pages' | 'race' | 'every' | 'parts' | 'readings' | 'clicks', keys: string) {
  return fc
    .record({ key: fc.constantFrom(...keys), again: fc.boolean() })
    .map(({ key, again }): Step => ({ put: bucket, key, value: again ? key : '' }))
}

const join: fc.Arbitrary<Step> = fc.subarray(['a', 'b', 'c']).map((keys) => ({ join: keys.reverse() }))
const get: fc.Arbitrary<Step> = fc.record({
  get: fc.constantFrom('each' as const, 'pair' as const, 'parts' as const),
  key: fc.constantFrom('a', 'b'),
})

/** Mappers at the same time, all of them sources, one of which may not be done in time: it never comes. */
const shuffleArbitrary: fc.Arbitrary<Program> = fc
  .record({
    mappers: fc.array(fc.array(fc.constantFrom('x', 'y', ''), { maxLength: 3 }), { maxLength: 3 }),
    complete: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ mappers, complete }) => {
    if (mappers.length === 0) return []
    const names = mappers.map((_, m) => `m${m}`)
    const puts = (m: number, groups: string[]) =>
      groups.map((group, i): Step => ({ put: 'shuffle', key: `m${m}-${i}`, value: '', ...(group && { group }) }))
    return [
      { sources: complete === 0 ? [...names, 'never'] : names },
      { map: mappers.map((groups, m) => [{ source: `m${m}` }, ...puts(m, groups)]) },
    ]
  })

/** What other tasks do at some time, in any order: in every order it gives the same. */
const laterArbitrary: fc.Arbitrary<Program> = fc
  .subarray(['p', 'q', 'r'])
  .map((keys) => keys.map((key): Step => ({ send: [{ put: 'each', key, value: '' }] })))

/** Values say which request and bucket they are of; keys that others could hold for a while are not used again. */
function distinct(name: string, program: Program): Program {
  let count = 0
  const one = (step: Step): Step => {
    if ('call' in step) return { call: step.call.map(one) }
    if ('map' in step) return { map: step.map.map((steps) => steps.map(one)) }
    if ('send' in step) return { send: step.send.map(one) }
    if (!('put' in step)) return step
    const n = count++
    const own = step.put === 'readings' || step.put === 'clicks'
    return { ...step, key: own ? `${name}-${n}` : step.key, value: `${name} ${step.put} ${step.value || n}` }
  }
  return program.map(one)
}
