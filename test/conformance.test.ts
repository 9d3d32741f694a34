import { bedOf, conformance, conformanceApp } from '@fusionize/platform/conformance'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { localBuilder, startLocal } from './support/local.js'

describe.each(['threads', 'processes'] as const)('the local platform with %s', (isolation) => {
  const builder = localBuilder(conformanceApp, 'conformance')
  let bed: ReturnType<typeof bedOf>
  let stop: () => Promise<void>

  beforeAll(async () => {
    const { platform, stop: end } = await startLocal('conformance', { isolation, retryDelayMs: 10 })
    stop = end
    bed = bedOf(platform, await builder.scan(), (setup) => builder.build(setup))
  })
  afterAll(async () => {
    await stop()
    await builder.dispose()
  })

  for (const { name, run } of conformance) it(name, () => run(bed))
})
