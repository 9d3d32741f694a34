import * as http from 'node:http'
import { askRuntime } from './runtime-api.js'

/** Keeps the environment from being frozen while work goes on after a reply. */
export interface Extension {
  /** The invocation with this request id goes on until the promise settles, and all others that were told of it before that. */
  during(requestId: string, work: Promise<unknown>): void
}

const PATH = '/2020-01-01/extension/'
/** Ms in which the invocation that an event told of must have begun here. */
const BEGIN_MS = 1000

/**
 * Registers this process as an internal extension for INVOKE events ("Using the Lambda Extensions API", AWS Lambda Developer Guide): Lambda
 * freezes the environment when the runtime and every extension have asked for the next event, and this one asks when nothing is under way.
 * To be awaited while the function's module loads: later Lambda takes no extension.
 * @param api host and port of the runtime's API
 * @param failed told when the API stops answering: nothing keeps the environment from then on
 * @throws when it cannot be registered
 */
export async function startExtension(api: string, failed: (error: Error) => void): Promise<Extension> {
  const works = new Map<string, Promise<unknown>>()
  const awaited = new Map<string, () => void>()
  const agent = new http.Agent({ keepAlive: true })
  const name = { 'lambda-extension-name': 'fusionize' }
  const registered = await askRuntime(api, 'POST', `${PATH}register`, name, '{"events":["INVOKE"]}', agent)
  const identity = { 'lambda-extension-identifier': String(registered.headers['lambda-extension-identifier']) }
  let serving = true

  /** Resolves when the invocation is over. */
  async function over(requestId: string): Promise<void> {
    if (!works.has(requestId))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, BEGIN_MS)
        awaited.set(requestId, () => {
          clearTimeout(timer)
          resolve()
        })
      })
    awaited.delete(requestId)
    for (let work: unknown; work !== works.get(requestId); ) {
      work = works.get(requestId)
      await work
    }
    works.delete(requestId)
  }

  async function serve(): Promise<never> {
    for (;;) {
      const { body } = await askRuntime(api, 'GET', `${PATH}event/next`, identity, '', agent)
      const { requestId } = JSON.parse(body.toString()) as { requestId?: string }
      if (requestId !== undefined) await over(requestId)
    }
  }

  serve().catch((error: Error) => {
    serving = false
    works.clear()
    failed(error)
  })
  return {
    during(requestId, work) {
      if (!serving) return
      works.set(requestId, Promise.allSettled([works.get(requestId), work]))
      awaited.get(requestId)?.()
    },
  }
}
