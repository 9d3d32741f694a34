import { encode } from 'fusionize/runtime'
import { describe, expect, test } from 'vitest'
import { placementNames, placements, startBucketsApp } from './support/buckets-app.js'
import { outputOf } from './support/local.js'

describe.each(
  placementNames.flatMap((placement) =>
    (['threads', 'processes'] as const).map((isolation) => [placement, isolation] as const),
  ),
)('%s, sandboxes as %s', (placement, isolation) => {
  const start = () => startBucketsApp((app) => placements[placement](app, 256), { isolation })

  test('who gets the keys of a set can read its objects', async () => {
    const { drive, firings } = await start()
    const put = (key: string, value: string) => ({ put: 'drafts' as const, key, value })
    await drive([put('a', '1'), put('b', '2')])
    await drive([put('a', '3'), { call: [put('b', '4')] }, { get: 'drafts', key: 'a' }])
    expect(await firings()).toEqual(['review b a 2 1', 'review b a 4 3'])
  })

  test('the sources that are not needed are told to stop, whether they began before or after the first', async () => {
    const { platform, firings } = await start()
    const contest = async (...runners: { name: string; slow: boolean }[]) =>
      outputOf(await platform.invoke('contest', encode(runners)))
    expect(await contest({ name: 'a', slow: false }, { name: 'b', slow: true })).toEqual(['put', 'CANCELLED'])
    expect(await contest({ name: 'c', slow: true }, { name: 'd', slow: false })).toEqual(['CANCELLED', 'put'])
    expect(await firings()).toEqual(['set a', 'set d'])
  })

  test('what waits for more goes out when there is no more', async () => {
    const { drive, firings, platform } = await start()
    const put = (key: string) => ({ put: 'letters' as const, key, value: key })
    await drive([put('a'), put('b')])
    await drive([put('c'), put('d')])
    expect(await firings()).toEqual(['window a b c'])
    expect([await platform.flush(), await platform.flush()]).toEqual([1, 0])
    expect(await firings()).toEqual(['window a b c', 'window d'])
  })
})
