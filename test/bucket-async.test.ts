import { writeFileSync } from 'node:fs'
import { encode } from 'fusionize/runtime'
import { describe, expect, test } from 'vitest'
import { placementNames, placements, startBucketsApp } from './support/buckets-app.js'
import { outputOf } from './support/local.js'

/*
 * The task that a put starts keeps its core until the test has its reply and says so. Were the reply to wait for it, the task would fail
 * and note nothing.
 */
describe.each(
  placementNames.flatMap((placement) =>
    (['threads', 'processes'] as const).map((isolation) => [placement, isolation] as const),
  ),
)('%s, sandboxes as %s', (placement, isolation) => {
  const start = () => startBucketsApp((app) => placements[placement](app, 1769), { isolation, maxSandboxes: 16 })

  test('what a put starts does not delay the reply of who put, called from outside or by a task, once or warm', async () => {
    const { drive, firings, path } = await start()
    const gates = ['first', 'second', 'third', 'fourth'].map(path)
    const [first, second, third, fourth] = gates.map((value) => [{ put: 'burns' as const, key: 'fire', value }])
    expect(await drive(first ?? [])).toEqual(['put'])
    expect(await drive([{ call: second ?? [] }, { get: 'each', key: 'none' }])).toEqual([['put'], 'nothing'])
    expect(await drive([{ map: [third ?? [], []] }])).toEqual([[['put'], []]])
    for (const gate of gates.slice(0, 3)) writeFileSync(gate, '')
    expect(await firings()).toEqual(['burn fire', 'burn fire', 'burn fire'])
    expect(await drive(fourth ?? [])).toEqual(['put'])
    writeFileSync(path('fourth'), '')
    expect(await firings()).toEqual(['burn fire', 'burn fire', 'burn fire', 'burn fire'])
  })

  test('nor an answer through a bucket', async () => {
    const { platform, firings, path } = await start()
    expect(outputOf(await platform.invoke('spark', encode(path('gate'))))).toBe(42)
    writeFileSync(path('gate'), '')
    expect(await firings()).toEqual(['burn fire'])
  })
})
