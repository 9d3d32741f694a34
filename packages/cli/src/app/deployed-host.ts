import type { AwsPlatform, Step } from '@fusionize/aws'
import { atEnd, stopSignal } from '../terminal/lifetime.js'
import type { Host } from './host.js'
import { type LoadedApp, loadApp } from './load-app.js'
import { openAws } from './open-aws.js'

/** AWS as the platform of an application. @param onStep told each step of a deployment, in words */
export async function openAwsPlatform(loaded: LoadedApp, onStep?: (words: string) => void): Promise<AwsPlatform> {
  const { clients, options } = await openAws(loaded)
  const { createAwsPlatform } = await import('@fusionize/aws')
  const run = { onStep: ({ resource, words }: Step) => onStep?.(`${resource}: ${words}`), signal: stopSignal }
  const platform = createAwsPlatform({ ...options, app: loaded.name, clients, run })
  atEnd(() => platform.destroy())
  return platform
}

/** What `deploy` brought into service, as a host. Nothing is built and nothing is deployed. */
export async function openDeployed(cwd: string): Promise<Host> {
  return openAwsPlatform(await loadApp(cwd, {}, 'aws'))
}
