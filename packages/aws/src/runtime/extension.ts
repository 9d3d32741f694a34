import * as http from 'node:http'

/** Keeps the environment from being frozen while work goes on after a reply. */
export interface Extension {
  /** The invocation with this request id goes on until the promise settles. */
  during(requestId: string, work: Promise<unknown>): void
}

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
  const registered = await ask(agent, api, 'POST', 'register', name, '{"events":["INVOKE"]}')
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
    await works.get(requestId)
    works.delete(requestId)
  }

  async function serve(): Promise<never> {
    for (;;) {
      const { body } = await ask(agent, api, 'GET', 'event/next', identity)
      const { requestId } = JSON.parse(body) as { requestId?: string }
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
      works.set(
        requestId,
        work.catch(() => {}),
      )
      awaited.get(requestId)?.()
    },
  }
}

function ask(
  agent: http.Agent,
  api: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ headers: http.IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { agent, method, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }
    const request = http.request(`http://${api}/2020-01-01/extension/${path}`, options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve({ headers: response.headers, body: text })
        else reject(new Error(`the Extensions API answered ${method} ${path} with ${response.statusCode}: ${text}`))
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}
