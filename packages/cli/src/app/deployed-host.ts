import { FusionizeError } from 'fusionize'
import { atEnd } from '../terminal/lifetime.js'
import type { Host } from './host.js'
import { loadApp } from './load-app.js'
import { openAws } from './open-aws.js'

/** What `deploy` brought into service, as a host. Nothing is built and nothing is deployed. */
export async function openDeployed(cwd: string): Promise<Host> {
  const loaded = await loadApp(cwd, {}, 'aws')
  const { clients, options } = await openAws(loaded)
  const { createAwsPlatform } = await import('@fusionize/aws')
  const platform = createAwsPlatform({ ...options, app: loaded.name, clients })
  atEnd(() => platform.destroy())
  return {
    ...platform,
    async flush() {
      throw new FusionizeError(
        'UNSUPPORTED',
        'what is deployed on AWS cannot be told to flush its buckets; give the triggers a maxWait',
      )
    },
  }
}
