import { expect, onTestFinished, test } from 'vitest'
import { placementNames, placements, type Step, startBucketsApp } from './support/buckets-app.js'
import { startLocal, temporaryFolder } from './support/local.js'

const put = (key: string): Step => ({ put: 'each', key, value: key })

test.each(placementNames)(
  'a dead letter that is replayed puts what it has to, though its session has ended, also after a restart: %s',
  async (placement) => {
    const folder = await temporaryFolder()
    onTestFinished(folder.remove)
    const options = {
      dir: folder.path,
      durability: 'journal',
      isolation: 'threads',
      retries: 1,
      retryDelayMs: 5,
    } as const
    const app = await startBucketsApp((one) => placements[placement](one, 1769), options)
    const steps = [
      put('x'),
      ...['first', 'second', 'third', 'fourth'].map((name) => ({ failOnce: app.path(name) })),
      put('y'),
    ]
    await app.platform.send('drive', JSON.stringify({ name: 'it', steps }), { session: 'it' })
    const ones = async () => (await app.firings()).filter((text) => text.startsWith('one'))
    expect(await ones()).toEqual(['one x'])
    expect((await app.platform.deadLetters()).map(({ session }) => session)).toEqual(['it'])
    await app.platform.destroy()
    const again = await startLocal('buckets-app', options)
    onTestFinished(again.stop)
    await again.platform.deploy(app.build)
    // It fails twice more, then once more: each replay is a session of its own, which goes on between its runs.
    expect(await again.platform.replay()).toBe(1)
    await again.platform.drained()
    expect((await again.platform.deadLetters()).map(({ session }) => session)).toEqual(['it+'])
    expect(await again.platform.replay()).toBe(1)
    await again.platform.drained()
    // One that its first session put, one of each replay: all others were known.
    expect(await ones()).toEqual(['one x', 'one x', 'one x', 'one y'])
    expect(await again.platform.deadLetters()).toEqual([])
  },
)
