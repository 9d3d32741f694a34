import { createLocalPlatform } from '@fusionize/local'
import { remoteSetup } from 'fusionize/setup'
import { builderOf } from '../lib/app.js'

/** The local platform as an application gets it, with one no-op entry. Arguments: folder for its state. */
const [dir = ''] = process.argv.slice(2)
const builder = builderOf('one')
const app = await builder.scan()
const platform = await createLocalPlatform({ dir, app: app.name, isolation: 'threads', port: 0 })
const setup = remoteSetup(app, 1769)
for (const spec of Object.values(setup.functions)) spec.concurrency = 32
await platform.deploy(await builder.build(setup))
process.on('disconnect', async () => {
  await platform.destroy()
  process.exit(0)
})
process.send?.(platform.url)
