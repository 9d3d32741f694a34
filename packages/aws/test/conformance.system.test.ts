import { bedOf, conformance, conformanceApp } from '@fusionize/platform/conformance'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type AwsBed, startAwsBed } from './support/platform.js'

describe.each(['extension', 'before-reply'] as const)('aws, what a reply leaves behind: %s', (afterReply) => {
  let started: AwsBed
  let bed: ReturnType<typeof bedOf>

  beforeAll(async () => {
    started = await startAwsBed(conformanceApp, 'conformance', { afterReply })
    const { builder, platform } = started
    bed = bedOf(platform, await builder.scan(), (setup) => builder.build(setup))
  }, 300_000)
  afterAll(() => started.stop())

  // What is left behind matters to what is asynchronous; all else is the same in either case.
  const cases = conformance.filter(({ area }) => afterReply === 'extension' || area === 'asynchronous')
  for (const { name, run } of cases) it(name, () => run(bed))
})
