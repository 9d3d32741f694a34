import { describe, test } from 'vitest'
import { bucketCases } from './support/bucket-cases.js'
import { placementNames, placements, startBucketsApp } from './support/buckets-app.js'

describe.each(
  placementNames.flatMap((placement) =>
    (['threads', 'processes'] as const).map((isolation) => [placement, isolation] as const),
  ),
)('%s, sandboxes as %s', (placement, isolation) => {
  for (const { name, run } of bucketCases)
    test(name, async () => run(await startBucketsApp((app) => placements[placement](app, 256), { isolation })))
})
