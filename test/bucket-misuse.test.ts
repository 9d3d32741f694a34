import { writeFileSync } from 'node:fs'
import { encode } from 'fusionize/runtime'
import { describe, expect, test } from 'vitest'
import { placementNames, placements, startBucketsApp } from './support/buckets-app.js'
import { outputOf } from './support/local.js'

describe.each(placementNames)('%s', (placement) => {
  const start = (options = {}) => startBucketsApp((app) => placements[placement](app, 256), options)

  test('a key that is put twice conflicts when the bytes differ, and is no event when they do not', async () => {
    const { drive, firings } = await start()
    const put = (value: string) => ({ put: 'each' as const, key: 'a', value })
    expect(await drive([put('1'), put('2'), put('1'), { call: [put('2'), put('1')] }])).toEqual([
      'put',
      'KEY_CONFLICT',
      'put',
      ['KEY_CONFLICT', 'put'],
    ])
    expect(await firings()).toEqual(['key a 1', 'one a'])
  })

  test('what is never complete goes to onIncomplete, or is discarded with a word in the log', async () => {
    const { drive, firings, platform } = await start()
    await drive([
      { put: 'pair', key: 'a', value: '1' },
      { join: ['a', 'b'] },
      { put: 'parts', key: 'b', value: '1' },
      { put: 'race', key: 'a', value: '1' },
      { sources: ['me', 'never'] },
      { call: [{ source: 'me' }, { put: 'shuffle', key: 'x', value: '1' }] },
    ])
    expect(await firings()).toEqual(['keys a', 'left a', 'left a', 'left b', 'left x'])
    const { entries } = await platform.logs()
    const discards = entries.flatMap(
      ({ message }) =>
        message.match(/'(\w+)'.*(trigger 1 never fired; discarded 1 objects).*(missing \w)/)?.slice(1) ?? [],
    )
    // At least once: a sandbox and the platform may both say it.
    expect(new Set(discards)).toEqual(
      new Set(['pair', 'parts', 'trigger 1 never fired; discarded 1 objects', 'missing c', 'missing a']),
    )
  })

  test('a session that only declares leaves that to onIncomplete, too', async () => {
    const { drive, firings } = await start()
    await drive([{ join: ['a'] }])
    await drive([{ sources: ['never'] }])
    expect(await firings()).toEqual(['left', 'left'])
  })

  test('a second, different declaration is refused, and so is a put of a source that is done', async () => {
    const { drive, firings } = await start()
    const given = await drive([
      { join: ['a', 'b'] },
      { join: ['a', 'b'] },
      { join: ['b'] },
      { sources: ['me', 'other'] },
      { call: [{ source: 'me' }] },
      { call: [{ source: 'me' }, { put: 'shuffle', key: 'x', value: '1' }] },
      { call: [{ source: 'other' }] },
      { put: 'parts', key: 'b', value: '1' },
      { put: 'parts', key: 'a', value: '1' },
    ])
    expect(given).toEqual([
      'expected',
      'expected',
      'JOIN_CONFLICT',
      'expected',
      ['named'],
      ['named', 'GROUP_CLOSED'],
      ['named'],
      'put',
      'put',
    ])
    expect(await firings()).toEqual(['join a b', 'keys a b'])
  })

  test('an object of 2 GiB is too large, and the session goes on', async () => {
    const { drive, firings, platform } = await start()
    const given = await drive([{ huge: 2 ** 31 }, { put: 'each', key: 'a', value: '1' }, { call: [{ huge: 2 ** 31 }] }])
    expect(given).toEqual(['PAYLOAD_TOO_LARGE', 'put', ['PAYLOAD_TOO_LARGE']])
    expect(await firings()).toEqual(['key a 1', 'one a'])
    expect((await platform.status()).buckets?.find(({ bucket }) => bucket === 'bulk')).toMatchObject({
      objects: 0,
      bytes: 0,
    })
  })

  test('a put after the end of its session is refused', async () => {
    const { drive, firings, platform, notes, path } = await start()
    const late = [{ put: 'pair' as const, key: 'b', value: '1' }, { join: ['a'] }]
    await drive([
      { put: 'pair', key: 'a', value: '1' },
      { late, after: path('over') },
    ])
    await platform.drained()
    writeFileSync(path('over'), '')
    await notes.until((all) => all.some(({ task }) => task === 'late'))
    expect(await firings()).toEqual(['late SESSION_CLOSED SESSION_CLOSED', 'left a'])
  })

  test('an entry that answers from a bucket fails when the session ends without an answer, and when it takes too long', async () => {
    const { platform, path } = await start({ timeoutMs: 300 })
    const silent = async (steps: unknown) => platform.invoke('silent', encode(steps)).then(outputOf)
    await expect(silent([])).rejects.toMatchObject({ code: 'NO_RESULT' })
    await expect(silent([{ put: 'pair', key: 'a', value: '1' }])).rejects.toMatchObject({ code: 'NO_RESULT' })
    await expect(silent([{ send: [{ put: 'pair', key: 'a', value: '1' }] }])).rejects.toMatchObject({
      code: 'NO_RESULT',
    })
    await expect(silent([{ fail: 'on purpose' }])).rejects.toMatchObject({ message: 'on purpose' })
    await expect(silent([{ wait: path('never') }])).rejects.toMatchObject({ code: 'TIMEOUT' })
    writeFileSync(path('never'), '')
  })
})

test('a bucket that the deployed build lacks is unknown', async () => {
  const { drive } = await startBucketsApp(
    (app) => placements['buckets and tasks apart'](app, 256),
    {},
    ({ buckets: _, ...build }) => build,
  )
  expect(await drive([{ put: 'each', key: 'a', value: '1' }])).toEqual(['UNKNOWN_BUCKET'])
})
