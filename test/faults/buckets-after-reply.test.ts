import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { placementNames, placements, startBucketsApp } from '../support/buckets-app.js'

/** The step with which a task ends its sandbox, once. */
const die = (marker: string) => ({ die: marker })

describe.each(placementNames)('%s', (placement) => {
  test.each(['threads', 'processes'] as const)(
    'what was replied to is done though its sandbox ends right after, %s',
    async (isolation) => {
      const start = await startBucketsApp((app) => placements[placement](app, 1769), { isolation, maxSandboxes: 12 })
      const { drive, firings, path, platform, notes } = start
      // A set that waits for its last key, a batch that waits for its end, and a task that ends the sandbox when the reply is out.
      const replied = await drive([
        { put: 'pair', key: 'b', value: '1' },
        { put: 'pages', key: 'p', value: '1' },
        { join: ['x', 'y'] },
        { put: 'parts', key: 'y', value: '1' },
        {
          send: [
            { wait: path('replied') },
            die(path('died')),
            { put: 'pair', key: 'a', value: '2' },
            { put: 'parts', key: 'x', value: '2' },
          ],
        },
      ])
      expect(replied).toEqual(['put', 'put', 'expected', 'put', 'sent'])
      writeFileSync(path('replied'), '')
      expect(await firings()).toEqual(['batch p', 'join x y', 'keys x y', 'left p', 'set b a'].sort())
      expect(await platform.deadLetters()).toEqual([])
      expect(new Set(notes.all().map(({ invocation }) => invocation)).size).toBe(notes.all().length)
    },
  )
})
