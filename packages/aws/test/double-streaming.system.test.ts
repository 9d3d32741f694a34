import {
  AddPermissionCommand,
  CreateFunctionUrlConfigCommand,
  type InvokeMode,
  UpdateFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Aws, startAws } from './double/index.js'
import { Deploy } from './support/deploy.js'

let aws: Aws
let deploy: Deploy
beforeAll(async () => {
  aws = await startAws()
  deploy = new Deploy(aws)
}, 300_000)
afterAll(() => aws?.close())

const MB = 1024 * 1024

/** A handler that streams; what its event asks for are the query's parameters over HTTP. */
const streaming = `
  import { setTimeout as pause } from 'node:timers/promises'
  const write = (stream, chunk) => new Promise((resolve) => stream.write(chunk, resolve))
  export const handler = awslambda.streamifyResponse(async (event, plain, context) => {
    const { parts = 1, bytes = 5, text = 'x'.repeat(bytes), prelude, fail, die, type } = event.queryStringParameters ?? event
    if (fail === 'first') throw new RangeError('nothing at all')
    if (type) plain.setContentType(type)
    const stream = prelude ? awslambda.HttpResponseStream.from(plain, JSON.parse(prelude)) : plain
    for (let i = 0; i < parts; i++) await write(stream, text)
    if (fail) throw new RangeError('amid it')
    if (die) { await pause(50); process.exit(7) }
    stream.end()
  })
`

async function streamed(FunctionName: string, InvokeMode: InvokeMode = 'RESPONSE_STREAM'): Promise<string> {
  await deploy.fn(FunctionName, streaming, { Timeout: 30, MemorySize: 512 })
  const create = new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE', InvokeMode })
  const { FunctionUrl = '' } = await deploy.lambda.send(create)
  for (const [StatementId, Action] of Object.entries({ url: 'InvokeFunctionUrl', invoke: 'InvokeFunction' }))
    await deploy.lambda.send(
      new AddPermissionCommand({
        ...{ FunctionName, StatementId, Action: `lambda:${Action}`, Principal: '*' },
        ...(StatementId === 'url' ? { FunctionUrlAuthType: 'NONE' } : { InvokedViaFunctionUrl: true }),
      }),
    )
  return FunctionUrl
}

// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-invoke-furls.html: "RESPONSE_STREAM - … The maximum response payload size is 200 MB";
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html, "Response streaming": the header and the trailers.
test('a function URL passes a streamed answer on as it comes', async () => {
  const url = await streamed('stream')
  const plain = await fetch(`${url}?parts=2`)
  expect([plain.status, plain.headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
  expect(await plain.text()).toBe('xxxxxxxxxx')
  expect((await fetch(`${url}?type=text/csv`)).headers.get('content-type')).toBe('text/csv')
  const prelude = JSON.stringify({ statusCode: 418, headers: { 'x-a': '1', 'content-type': 'a/b' }, cookies: ['c=1'] })
  const told = await fetch(`${url}?prelude=${encodeURIComponent(prelude)}`)
  expect([told.status, told.headers.get('content-type'), told.headers.get('x-a')]).toEqual([418, 'a/b', '1'])
  expect(told.headers.getSetCookie()).toEqual(['c=1'])
  expect(await told.text()).toBe('xxxxx')
  // Without a chunk the runtime client writes no prelude.
  const empty = await fetch(`${url}?parts=0&prelude=${encodeURIComponent(prelude)}`)
  expect([empty.status, await empty.text()]).toEqual([200, ''])
  expect((await (await fetch(`${url}?parts=8&bytes=${MB}`)).arrayBuffer()).byteLength).toBe(8 * MB)
})

test('it is at most 200 MB, then the connection breaks and the environment goes on', async () => {
  const url = await streamed('huge')
  const bytesOf = async (query: string) => {
    let bytes = 0
    const { body } = await fetch(`${url}${query}`)
    for await (const chunk of body as AsyncIterable<Uint8Array>) bytes += chunk.length
    return bytes
  }
  expect(await bytesOf(`?parts=200&bytes=${MB}`)).toBe(200 * MB)
  await expect(bytesOf(`?parts=201&bytes=${MB}`)).rejects.toThrow()
  expect(await bytesOf('?parts=1')).toBe(5)
})

test('what fails before its first byte is 502, amid the answer the connection breaks', async () => {
  const url = await streamed('breaks')
  expect((await fetch(`${url}?fail=first`)).status).toBe(502)
  const prelude = encodeURIComponent('{"statusCode":200}')
  for (const query of ['fail=later', 'die=1', `fail=later&prelude=${prelude}`]) {
    const begun = await fetch(`${url}?${query}`)
    expect(begun.status).toBe(200)
    await expect(begun.text()).rejects.toThrow()
  }
  expect(await (await fetch(url)).text()).toBe('xxxxx')
})

// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-invoke-furls.html: "You can still invoke your function without response streaming by
// directly calling the Invoke API operation", and 6 MB then. That an error told of in trailers is the invocation's error is from memory.
test('an Invoke of a function that streams has its answer whole, or its error', async () => {
  await streamed('whole')
  const invoke = (payload: object) => deploy.invoke('whole', payload)
  expect(await invoke({ text: '{"whole":true}' })).toMatchObject({ error: undefined, payload: { whole: true } })
  expect(await invoke({ fail: 'first' })).toMatchObject({ error: 'Unhandled', payload: { errorType: 'RangeError' } })
  expect(await invoke({ fail: 'later' })).toMatchObject({ error: 'Unhandled', payload: { errorMessage: 'amid it' } })
  expect(await invoke({ die: 1 })).toMatchObject({ payload: { errorType: 'Runtime.TruncatedResponse' } })
  expect(await invoke({ parts: 7, bytes: MB })).toMatchObject({
    error: 'Unhandled',
    payload: { errorType: 'Function.ResponseSizeTooLarge' },
  })
})

test('the mode of a URL can change, and one that is buffered takes an answer whole', async () => {
  const url = await streamed('mode', 'BUFFERED')
  const buffered = await fetch(url)
  expect([buffered.status, await buffered.text()]).toEqual([200, 'xxxxx'])
  await deploy.lambda.send(
    new UpdateFunctionUrlConfigCommand({ FunctionName: 'mode', InvokeMode: 'RESPONSE_STREAM', AuthType: 'NONE' }),
  )
  expect(await (await fetch(url)).text()).toBe('xxxxx')
})
