import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { startExtension } from './extension.js'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** The part of Lambda's Extensions API that gives events: each `next` waits for one. */
async function extensionsApi() {
  const waiting: ServerResponse[] = []
  let asked: () => void = () => {}
  const registered: unknown[] = []
  server = createServer((request, response) => {
    if (request.url?.endsWith('/register')) {
      registered.push(request.headers['lambda-extension-name'])
      response.setHeader('lambda-extension-identifier', 'id')
      response.end('{}')
      return
    }
    expect(request.headers['lambda-extension-identifier']).toBe('id')
    waiting.push(response)
    asked()
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return {
    api: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    registered,
    /** Resolves when the extension asks for the next event. */
    next: async () => {
      if (waiting.length === 0)
        await new Promise<void>((resolve) => {
          asked = resolve
        })
    },
    invoke(requestId: string) {
      waiting.shift()?.end(JSON.stringify({ eventType: 'INVOKE', requestId }))
    },
    isWaiting: () => waiting.length > 0,
  }
}
const turn = () => new Promise((resolve) => setTimeout(resolve, 20))

it('asks for the next event only when the work of the invocation is over', async () => {
  const lambda = await extensionsApi()
  const extension = await startExtension(lambda.api, () => {})
  expect(lambda.registered).toEqual(['fusionize'])
  await lambda.next()
  let end: () => void = () => {}
  const work = new Promise<void>((resolve) => {
    end = resolve
  })
  extension.during('r1', work)
  lambda.invoke('r1')
  await turn()
  expect(lambda.isWaiting()).toBe(false)
  end()
  await lambda.next()
})

it('does so whether the event or the invocation comes first, and when the work was over before', async () => {
  const lambda = await extensionsApi()
  const extension = await startExtension(lambda.api, () => {})
  await lambda.next()
  lambda.invoke('r1')
  await turn()
  expect(lambda.isWaiting()).toBe(false)
  extension.during('r1', Promise.resolve())
  await lambda.next()
  extension.during('r2', Promise.reject(new Error('work that failed is over, too')))
  await turn()
  lambda.invoke('r2')
  await lambda.next()
})

it('waits for all work of an invocation, also what begins before the rest is over', async () => {
  const lambda = await extensionsApi()
  const extension = await startExtension(lambda.api, () => {})
  await lambda.next()
  const ends: (() => void)[] = []
  const work = () => new Promise<void>((resolve) => void ends.push(resolve))
  extension.during('r1', work())
  lambda.invoke('r1')
  await turn()
  extension.during('r1', work())
  ends[0]?.()
  await turn()
  expect(lambda.isWaiting()).toBe(false)
  ends[1]?.()
  await lambda.next()
})

it('says when the API stops answering, and holds nothing any more', async () => {
  const lambda = await extensionsApi()
  const failed = new Promise<Error>((resolve) => void startExtension(lambda.api, resolve))
  await lambda.next()
  server?.closeAllConnections()
  expect(await failed).toBeInstanceOf(Error)
})

it('cannot be started where there is no API', async () => {
  await expect(startExtension('127.0.0.1:1', () => {})).rejects.toThrow('ECONNREFUSED')
})
