import type { Step } from '@fusionize/aws'
import type { Platform } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { atEnd, stopSignal } from '../terminal/lifetime.js'
import type { Host } from './host.js'
import { type LoadedApp, loadApp } from './load-app.js'
import { openAws } from './open-aws.js'

/** AWS as the platform of an application. @param onStep told each step of a deployment, in words */
export async function openAwsPlatform(loaded: LoadedApp, onStep?: (words: string) => void): Promise<Platform> {
  const { clients, options } = await openAws(loaded)
  const { createAwsPlatform } = await import('@fusionize/aws')
  const run = { onStep: ({ resource, words }: Step) => onStep?.(`${resource}: ${words}`), signal: stopSignal }
  const platform = createAwsPlatform({ ...options, app: loaded.name, clients, run })
  atEnd(() => platform.destroy())
  return platform
}

/** What `deploy` brought into service, as a host. Nothing is built and nothing is deployed. */
export async function openDeployed(cwd: string): Promise<Host> {
  return {
    ...(await openAwsPlatform(await loadApp(cwd, {}, 'aws'))),
    async flush() {
      throw new FusionizeError(
        'UNSUPPORTED',
        'what is deployed on AWS cannot be told to flush its buckets; give the triggers a maxWait',
      )
    },
  }
}
