import { writeFileSync } from 'node:fs'
import { allFusedSetup, remoteSetup } from 'fusionize/setup'
import { describe, expect, test } from 'vitest'
import { changed, placementNames, placements, type Step, startBucketsApp } from './support/buckets-app.js'

const put = (bucket: 'pair' | 'pages' | 'parts' | 'each', key: string): Step => ({ put: bucket, key, value: key })

describe.each([
  ['in the function that has the session, not in the other', ['drive']],
  ['in both functions', ['drive', 'helper']],
  ['in the other function only', ['helper']],
])('two functions put, the buckets fused %s', (_where, evaluating) => {
  const start = (isolation: 'threads' | 'processes' = 'threads') =>
    startBucketsApp(
      (app) => {
        const fused = allFusedSetup(app, 1769)
        return changed(remoteSetup(app, 1769), (spec, name) =>
          evaluating.includes(name) ? { ...spec, buckets: fused.functions[name]?.buckets ?? [] } : spec,
        )
      },
      { isolation },
    )

  test.each(['threads', 'processes'] as const)(
    '%s: a set is made of what both put, in every order',
    async (isolation) => {
      const { drive, firings } = await start(isolation)
      expect(await drive([put('pair', 'a'), { call: [put('pair', 'b')] }])).toEqual(['put', ['put']])
      expect(await drive([{ call: [put('pair', 'b')] }, put('pair', 'a')])).toEqual([['put'], 'put'])
      const both = [put('pair', 'c'), { call: [put('pair', 'a')] }, put('pair', 'b'), { call: [put('pair', 'b')] }]
      // The set has fired, so its keys are free; `a` has gone with both sets.
      expect(await drive(both)).toEqual(['put', ['put'], 'put', ['put']])
      expect(await firings()).toEqual(['keys a c', 'left b', 'set b a', 'set b a', 'set b a'])
    },
  )

  test('many at a time are in exactly one batch each', async () => {
    const { drive, firings } = await start()
    const keys = Array.from({ length: 24 }, (_, i) => `k${i}`)
    await drive([put('pages', 'first'), { map: keys.map((key) => [put('pages', key)]) }, put('pages', 'last')])
    const batches = (await firings()).map((firing) => firing.split(' ').slice(1))
    // Thirteen twos and eight threes with a short one flushed.
    expect(batches.filter((batch) => batch.length === 2)).toHaveLength(13 + 1)
    expect(batches.filter((batch) => batch.length === 3)).toHaveLength(8)
    const expected = [...keys, 'first', 'last']
    expect(batches.flat().sort()).toEqual([...expected, ...expected].sort())
  })

  test('a key that one has put conflicts for the other, and can be read there', async () => {
    const { drive } = await start()
    const given = await drive([
      put('each', 'a'),
      {
        call: [
          { get: 'each', key: 'a' },
          { put: 'each', key: 'a', value: 'other' },
          put('each', 'a'),
          put('each', 'c'),
        ],
      },
      { get: 'each', key: 'c' },
    ])
    expect(given).toEqual(['put', ['a', 'KEY_CONFLICT', 'put', 'put'], 'c'])
  })

  test('a declaration here is met by what is put there', async () => {
    const { drive, firings } = await start()
    await drive([{ join: ['x', 'y'] }, { call: [put('parts', 'y')] }, put('parts', 'x')])
    await drive([put('parts', 'x'), { call: [{ join: ['y', 'x'] }] }, { call: [put('parts', 'y')] }])
    expect(await firings()).toEqual(['join x y', 'join y x', 'keys x y', 'keys y x'])
  })
})

describe.each(placementNames)('a run that is tried again, %s', (placement) => {
  const start = () => startBucketsApp((app) => placements[placement](app, 256), { retries: 2 })

  test('has put once what it put before it failed', async () => {
    const { drive, firings, path } = await start()
    await drive([put('pair', 'b'), { send: [put('pair', 'a'), put('each', 'b'), { failOnce: path('failed') }] }])
    await drive([{ send: [put('pages', 'a'), put('pages', 'b'), { failOnce: path('again') }, put('pages', 'c')] }])
    expect(await firings()).toEqual(['batch a b', 'batch a b c', 'key b b', 'left c', 'named b', 'one b', 'set b a'])
  })

  test('and whose first try was slow puts where the others do', async () => {
    const { drive, firings, path, platform } = await start()
    await drive([
      put('pair', 'b'),
      { send: [{ wait: path('go') }, { failOnce: path('failed') }, put('pair', 'a')] },
      { send: [{ wait: path('failed') }, put('pair', 'c')] },
    ])
    writeFileSync(path('go'), '')
    expect(await firings()).toEqual(['keys a c', 'set b a'])
    expect(await platform.deadLetters()).toEqual([])
  })
})
