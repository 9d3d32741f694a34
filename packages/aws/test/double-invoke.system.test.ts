import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
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

/** Registers as an internal extension and works for a while after every answer. */
const withExtension = (workMs: number) => `
  const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension'
  const registered = await fetch(api + '/register', {
    method: 'POST',
    headers: { 'Lambda-Extension-Name': 'after' },
    body: JSON.stringify({ events: ['INVOKE'] }),
  })
  const headers = { 'Lambda-Extension-Identifier': registered.headers.get('lambda-extension-identifier') }
  const loop = async () => {
    const event = await (await fetch(api + '/event/next', { headers })).json()
    await new Promise((resolve) => setTimeout(resolve, ${workMs}))
    console.log('worked after ' + event.requestId)
    void loop()
  }
  void loop()
  export const handler = async () => 'answered'
`

/** Process state in /proc: T = stopped. */
function stateOf(pid: number | undefined): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]
}

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: "Invocation payload (request and response): 6 MB each for
// request and response (synchronous), 1 MB (asynchronous)". The exact bytes are from memory of the error messages.
test('payloads are limited', async () => {
  await deploy.fn('sizes', 'export const handler = async ({ n = 0 }) => "x".repeat(n)', { Timeout: 30 })
  const tooLarge = { name: 'RequestTooLargeException' }
  await expect(deploy.invoke('sizes', 'x'.repeat(6 * MB - 1))).rejects.toMatchObject(tooLarge)
  expect(await deploy.invoke('sizes', 'x'.repeat(6 * MB - 2))).toMatchObject({ status: 200 })
  const event = { InvocationType: 'Event' } as const
  await expect(deploy.invoke('sizes', 'x'.repeat(MB - 1), event)).rejects.toMatchObject(tooLarge)
  expect(await deploy.invoke('sizes', 'x'.repeat(MB - 2), event)).toMatchObject({ status: 202 })
  await aws.lambda.drained()
  expect(await deploy.invoke('sizes', { n: 6 * MB + 98 })).toMatchObject({ error: undefined })
  expect(await deploy.invoke('sizes', { n: 6 * MB + 99 })).toMatchObject({
    status: 200,
    error: 'Unhandled',
    payload: { errorType: 'Function.ResponseSizeTooLarge' },
  })
})

test('what is no JSON is refused', async () => {
  const refused = deploy.invoke('sizes', {}, { Payload: '{' })
  await expect(refused).rejects.toMatchObject({ name: 'InvalidRequestContentException' })
})

test("an error of the handler is an answer with the runtime client's report of it", async () => {
  await deploy.fn('throws', 'export const handler = async () => { throw new TypeError("no") }')
  expect(await deploy.invoke('throws')).toMatchObject({
    status: 200,
    error: 'Unhandled',
    payload: { errorType: 'TypeError', errorMessage: 'no' },
  })
})

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, "Invoke phase": the time-out ends the environment; the
// next invocation starts a new one. Texts from memory.
test('the time limit ends the environment', async () => {
  await deploy.fn(
    'slow',
    'export const handler = async ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms))',
    {
      Timeout: 1,
    },
  )
  await deploy.invoke('slow', { ms: 1 })
  const [first] = aws.lambda.environments('slow')
  const late = await deploy.invoke('slow', { ms: 5000 }, { LogType: 'Tail' })
  expect(late).toMatchObject({ error: 'Unhandled', payload: { errorType: 'Sandbox.Timedout' } })
  expect(late.payload).toMatchObject({ errorMessage: expect.stringContaining('Task timed out after 1.00 seconds') })
  expect(late.log).toMatch(/Task timed out after 1.00 seconds\n.*REPORT .*Status: timeout/s)
  await deploy.invoke('slow', { ms: 1 })
  expect(aws.lambda.environments('slow')[0]?.pid).not.toBe(first?.pid)
})

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: "Lambda freezes the execution environment when the
// runtime and each extension have completed and there are no pending events."
test('an environment is frozen between invocations, used again, and its timers wait', async () => {
  const source = `
    let ticks = 0
    setInterval(() => ticks++, 1)
    export const handler = async () => ({ ticks, pid: process.pid })`
  await deploy.fn('frozen', source)
  const first = (await deploy.invoke('frozen')).payload as { ticks: number; pid: number }
  await vi.waitFor(() => expect(stateOf(first.pid)).toBe('T'))
  await new Promise((resolve) => setTimeout(resolve, 150))
  const second = (await deploy.invoke('frozen')).payload as { ticks: number; pid: number }
  expect(second.pid).toBe(first.pid)
  expect(second.ticks - first.ticks).toBeLessThan(75)
})

test('initialization is reported and billed with the first invocation only', async () => {
  await deploy.fn('billed', 'export const handler = async () => {}')
  await deploy.invoke('billed')
  await deploy.invoke('billed')
  const report = /REPORT .*?Duration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t.*?(?:Init Duration: ([\d.]+) ms)?\t\n/g
  await vi.waitFor(() => expect([...deploy.logsOf('billed').matchAll(report)]).toHaveLength(2))
  const [first, second] = [...deploy.logsOf('billed').matchAll(report)].map((match) => match.slice(1, 4).map(Number))
  // https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/: from 1 August 2025.
  expect(first?.[1]).toBe(Math.ceil((first?.[0] ?? 0) + (first?.[2] ?? 0)))
  expect(second?.[2]).toBeNaN()
})

// https://aws.amazon.com/blogs/compute/running-code-after-returning-a-response-from-an-aws-lambda-function/: the answer leaves when the
// runtime posted it; the environment is frozen once the extension asked for the next event.
test('the answer leaves before an extension has ended, and the environment stays until then', async () => {
  await deploy.fn('extended', withExtension(300))
  await deploy.invoke('extended')
  const started = performance.now()
  const { requestId, payload } = await deploy.invoke('extended')
  expect(payload).toBe('answered')
  const afterMs = performance.now() - started
  expect(deploy.logsOf('extended')).not.toContain(`worked after ${requestId}`)
  const busy = aws.lambda.environments('extended').filter(({ phase }) => phase === 'busy')
  expect(busy.length).toBeGreaterThan(0)
  await vi.waitFor(() => expect(deploy.logsOf('extended')).toContain(`worked after ${requestId}`), 5000)
  expect(performance.now() - started).toBeGreaterThan(afterMs)
  await vi.waitFor(() => expect(aws.lambda.environments('extended').every(({ phase }) => phase === 'idle')).toBe(true))
  expect(aws.lambda.environments('extended').map(({ pid }) => stateOf(pid))).not.toContain('S')
})

// Extensions API reference, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html: "The function's timeout setting
// limits the duration of the entire Invoke phase", extensions included.
test('the time limit counts for extensions too', async () => {
  await deploy.fn('overtime', withExtension(5000), { Timeout: 1 })
  expect(await deploy.invoke('overtime')).toMatchObject({ error: undefined, payload: 'answered' })
  await vi.waitFor(() => expect(deploy.logsOf('overtime')).toMatch(/REPORT .*Status: timeout/), 5000)
  expect(aws.lambda.environments('overtime')).toEqual([])
})

test('a process that ends is an error, and the next invocation gets a new one', async () => {
  await deploy.fn('exits', 'export const handler = async ({ code }) => { if (code !== undefined) process.exit(code) }')
  expect(await deploy.invoke('exits', { code: 3 })).toMatchObject({
    error: 'Unhandled',
    payload: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 3') },
  })
  expect(await deploy.invoke('exits', { code: 0 })).toMatchObject({
    payload: { errorMessage: expect.stringContaining('Runtime exited without providing a reason') },
  })
  expect(await deploy.invoke('exits')).toMatchObject({ error: undefined })
})

test('code that cannot be loaded is an error of every invocation', async () => {
  await deploy.fn('broken', 'import "./missing.mjs"')
  for (const _ of [1, 2])
    expect(await deploy.invoke('broken')).toMatchObject({
      error: 'Unhandled',
      payload: { errorMessage: expect.stringContaining('Cannot find module') },
    })
})

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, "Init phase": "limited to 10 seconds".
test('initialization that takes too long is an error', async () => {
  const other = await startAws({ initLimitMs: 400 })
  try {
    const patient = new Deploy(other)
    await patient.fn('idler', 'await new Promise(() => setInterval(() => {}, 1000)); export const handler = () => {}')
    expect(await patient.invoke('idler')).toMatchObject({ payload: { errorType: 'Sandbox.Timedout' } })
  } finally {
    await other.close()
  }
})

test('an environment that nobody uses ends', async () => {
  await deploy.invoke('frozen')
  await vi.waitFor(() => expect(aws.lambda.environments('frozen')).toMatchObject([{ phase: 'idle' }]))
  aws.clock.advance(300_001)
  expect(aws.lambda.environments('frozen')).toEqual([])
})

test('a killed environment fails its invocation', async () => {
  const pending = deploy.invoke('slow', { ms: 900 })
  await vi.waitFor(() => expect(aws.lambda.environments('slow')).toMatchObject([{ phase: 'busy' }]))
  await aws.lambda.killEnvironments('slow')
  expect(await pending).toMatchObject({
    error: 'Unhandled',
    payload: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('signal: killed') },
  })
})
