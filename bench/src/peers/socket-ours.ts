import { createLocalPlatform, type LocalPlatformOptions } from '@fusionize/local'
import { remoteSetup } from 'fusionize/setup'
import { builderOf } from '../lib/app.js'

/** The local platform behind a socket, with one no-op task in one sandbox. Arguments: folder for its state, its options as JSON. */
const [dir = '', options = '{}'] = process.argv.slice(2)
const given = JSON.parse(options) as Pick<LocalPlatformOptions, 'isolation' | 'durability'>
const builder = builderOf('one')
const app = await builder.scan()
const platform = await createLocalPlatform({
  dir,
  app: app.name,
  gateway: false,
  socket: true,
  maxSandboxes: 1,
  ...given,
})
const setup = remoteSetup(app, 1769)
for (const spec of Object.values(setup.functions)) spec.concurrency = 128
await platform.deploy(await builder.build(setup))
await builder.dispose()
process.on('disconnect', async () => {
  await platform.destroy()
  process.exit(0)
})
process.send?.(platform.socket)
