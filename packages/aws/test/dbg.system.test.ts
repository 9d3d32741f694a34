import { bedOf, conformanceApp } from '@fusionize/platform/conformance'
import { it } from 'vitest'
import { startAwsBed } from './support/platform.js'

it('debug', async () => {
  const started = await startAwsBed(conformanceApp, 'conformance', { afterReply: 'before-reply', functionUrlAuth: 'off' })
  const { builder, platform, aws } = started
  try {
    const bed = bedOf(platform, await builder.scan(), (setup) => builder.build(setup))
    await bed.deploy(bed.remote)
    console.log(await bed.ask('notify', 'x', { session: 'sender' }))
    await new Promise((r) => setTimeout(r, 2000))
    console.log(aws.logs.messages('/aws/lambda/fusionize-conformance-notify'))
    console.log(aws.logs.messages('/aws/lambda/fusionize-conformance-store'))
    console.log(aws.lambda.queued, aws.lambda.failed, aws.lambda.environments())
    console.log((await platform.records()).lines)
  } finally {
    await started.stop()
  }
})
