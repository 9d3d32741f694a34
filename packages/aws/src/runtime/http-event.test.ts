import type { Payload } from 'fusionize/runtime'
import { expect, it, vi } from 'vitest'
import { answerHttp, type HttpEvent, isByUrl, isHttpEvent, matchPath, wholeAnswer } from './http-event.js'

const event = (method: string, rawPath: string, more: Partial<HttpEvent> = {}): HttpEvent => ({
  version: '2.0',
  rawPath,
  requestContext: { http: { method } },
  ...more,
})
const routes = [
  { method: 'POST', path: '/readings/:sensor', task: 'read' },
  { method: 'GET', path: '/readings/:sensor', task: 'show' },
]
const answered = async (...given: Parameters<typeof answerHttp>) => wholeAnswer(await answerHttp(...given))
const answering = (output: Payload) => vi.fn(async () => ({ ok: true as const, output, session: 's' }))

it.each([
  ['/a/:id', '/a/1', { id: '1' }],
  ['/a/:id', '/a/%C3%A9%2F', { id: 'é/' }],
  ['/a/:id', '/a/', undefined],
  ['/a/:id', '/a/1/2', undefined],
  ['/a/*', '/a', {}],
  ['/a/*', '/a/1/2', {}],
  ['/*', '/', {}],
  ['/', '/', {}],
])('%s and %s', (pattern, path, params) => {
  expect(matchPath(pattern, path)).toEqual(params)
})

it('a body of JSON and parameters of the path are the input', async () => {
  const run = answering('{"n":1}')
  const sent = { body: '{"level":3}', headers: { 'Content-Type': 'application/json', traceparent: 'no' } }
  const answer = await answered(event('POST', '/readings/north', sent), routes, run)
  expect(run).toHaveBeenCalledWith('read', '{"level":3,"sensor":"north"}', undefined)
  expect(answer).toMatchObject({ statusCode: 200, body: '{"n":1}', headers: { 'x-fusionize-session': 's' } })
})

it('a query is the input of a GET; of a name that comes twice the first', async () => {
  const run = answering(undefined)
  const answer = await answered(event('GET', '/readings/a%20b', { rawQueryString: 'x=1&x=2' }), routes, run)
  expect(run).toHaveBeenCalledWith('show', '{"x":"1","sensor":"a b"}', undefined)
  expect(answer.statusCode).toBe(204)
})

it('bytes come and go in base64', async () => {
  const run = answering(new Uint8Array([1, 2, 255]))
  const body = Buffer.from([0, 255]).toString('base64')
  const headers = { 'content-type': 'application/octet-stream' }
  const sent = event('POST', '/bytes', { body, isBase64Encoded: true, headers })
  const answer = await answered(sent, [{ method: 'POST', path: '/bytes', task: 'read' }], run)
  expect(run).toHaveBeenCalledWith('read', new Uint8Array([0, 255]), undefined)
  expect(answer).toMatchObject({ body: 'AQL/', isBase64Encoded: true })
})

it('the name of a stage is no part of the path', async () => {
  const run = answering('1')
  const staged = event('GET', '/prod/readings/a', { requestContext: { stage: 'prod', http: { method: 'GET' } } })
  expect((await answered(staged, routes, run)).statusCode).toBe(200)
})

it('what no task answers is 404, another method 405, a broken body 400, another type 415', async () => {
  const status = async (given: HttpEvent) => (await answered(given, routes, answering('1'))).statusCode
  expect(await status(event('GET', '/nothing'))).toBe(404)
  expect(await status(event('PUT', '/readings/a'))).toBe(405)
  expect(await status(event('POST', '/readings/a', { body: '{' }))).toBe(400)
  expect(await status(event('POST', '/readings/a', { body: 'x', headers: { 'content-type': 'text/plain' } }))).toBe(415)
})

it('an error has the status that the local gateway gives it', async () => {
  const error = { name: 'FusionizeError', code: 'TIMEOUT', message: 'too slow' }
  const run = async () => ({ ok: false as const, error, session: 's' })
  const answer = await answered(event('GET', '/readings/a'), routes, run)
  expect(answer).toMatchObject({ statusCode: 504, body: '{"error":{"code":"TIMEOUT","message":"too slow"}}' })
})

it('knows a request from anything else', () => {
  expect(isHttpEvent(event('GET', '/'))).toBe(true)
  for (const other of [null, undefined, 1, {}, { version: '2.0' }, { version: '1.0', requestContext: { http: {} } }])
    expect(isHttpEvent(other)).toBe(false)
})

it('knows the address that it came by', () => {
  const by = (domainName?: string) =>
    isByUrl(event('GET', '/', { requestContext: { ...(domainName && { domainName }), http: { method: 'GET' } } }))
  expect(by('abc.lambda-url.eu-central-1.on.aws')).toBe(true)
  for (const other of [undefined, 'abc.execute-api.eu-central-1.amazonaws.com', 'api.example.com'])
    expect(by(other)).toBe(false)
})
