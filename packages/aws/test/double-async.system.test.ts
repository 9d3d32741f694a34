import { PutFunctionConcurrencyCommand, PutFunctionEventInvokeConfigCommand } from '@aws-sdk/client-lambda'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Aws, startAws } from './double/index.js'
import { Deploy } from './support/deploy.js'

let aws: Aws
let deploy: Deploy
let sqs: SQSClient
let QueueUrl: string
let destination: string
beforeAll(async () => {
  aws = await startAws({ delayScale: 0.0005 })
  deploy = new Deploy(aws)
  sqs = new SQSClient(aws.client)
  QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }))).QueueUrl ?? ''
  destination = `arn:aws:sqs:${aws.region}:${aws.account}:dead`
}, 300_000)
afterAll(() => aws?.close())

const event = { InvocationType: 'Event' } as const
const fails = 'export const handler = async (event) => { console.log("ran"); throw new Error("no " + event.n) }'

async function dead(): Promise<unknown[]> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
  return Messages.map(({ Body = '' }) => JSON.parse(Body))
}

/** A function whose role may send to the destination. */
async function withDestination(name: string, source: string, input: object): Promise<void> {
  const send = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: destination } as const
  await deploy.fn(name, source, { Role: await deploy.role(`role-of-${name}`, [send]) })
  const DestinationConfig = { OnFailure: { Destination: destination } }
  await deploy.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: name, DestinationConfig, ...input }))
}

const runs = (name: string) => deploy.logsOf(name).match(/\tran\n/g)?.length ?? 0

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: "If the function returns an error, by default
// Lambda attempts to run it two more times, with a one-minute wait between the first two attempts, and two minutes between the
// second and third attempts."
test('an event whose function fails is tried three times, under one id', async () => {
  await deploy.fn('fails', fails)
  const { requestId } = await deploy.invoke('fails', { n: 1 }, event)
  await aws.lambda.drained()
  expect(runs('fails')).toBe(3)
  expect(deploy.logsOf('fails').match(/START RequestId: \S+/g)).toEqual(Array(3).fill(`START RequestId: ${requestId}`))
})

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html, "Example invocation record".
test('what exhausts its retries goes to the destination with all that is known of it', async () => {
  await withDestination('exhausted', fails, { MaximumRetryAttempts: 1 })
  const { requestId } = await deploy.invoke('exhausted', { n: 2 }, event)
  await aws.lambda.drained()
  expect(runs('exhausted')).toBe(2)
  expect(await dead()).toEqual([
    {
      version: '1.0',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      requestContext: {
        requestId,
        functionArn: `arn:aws:lambda:${aws.region}:${aws.account}:function:exhausted:$LATEST`,
        condition: 'RetriesExhausted',
        approximateInvokeCount: 2,
      },
      requestPayload: { n: 2 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: expect.objectContaining({ errorType: 'Error', errorMessage: 'no 2' }),
    },
  ])
})

test('a destination to which the role may not send is refused', async () => {
  await deploy.fn('may-not', fails)
  const DestinationConfig = { OnFailure: { Destination: destination } }
  const put = new PutFunctionEventInvokeConfigCommand({ FunctionName: 'may-not', DestinationConfig })
  await expect(deploy.lambda.send(put)).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
})

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: "For throttling errors (429) and system errors
// (500-series), Lambda returns the event to the queue and attempts to run the function again for up to 6 hours by default."
test('a throttled event waits and is no failed attempt', async () => {
  await deploy.fn('busy', 'export const handler = async ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms))')
  aws.lambda.accountConcurrency = 1
  const sync = deploy.invoke('busy', { ms: 300 })
  await vi.waitFor(() => expect(aws.lambda.environments('busy')).toMatchObject([{ phase: 'busy' }]))
  // https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, "Errors": TooManyRequestsException, 429, with a reason.
  await expect(deploy.invoke('busy', { ms: 0 })).rejects.toMatchObject({
    name: 'TooManyRequestsException',
    Reason: 'ConcurrentInvocationLimitExceeded',
    $metadata: { httpStatusCode: 429 },
  })
  await deploy.invoke('busy', { ms: 0 }, event)
  await sync
  await aws.lambda.drained()
  aws.lambda.accountConcurrency = 1000
  expect(aws.lambda.failed.filter(({ requestContext }) => requestContext.functionArn.includes('busy'))).toEqual([])
  expect(deploy.logsOf('busy').match(/START RequestId/g)).toHaveLength(2)
})

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html: "Maximum age of event", 60 s to 6 h.
test('an event that is too old is given up', async () => {
  await withDestination('old', fails, { MaximumEventAgeInSeconds: 60 })
  aws.lambda.accountConcurrency = 0
  await deploy.invoke('old', { n: 3 }, event)
  await vi.waitFor(() => expect(aws.lambda.queued).toBe(1))
  aws.clock.advance(61_000)
  await aws.lambda.drained()
  aws.lambda.accountConcurrency = 1000
  expect(runs('old')).toBe(0)
  expect(await dead()).toMatchObject([
    { requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 0 }, requestPayload: { n: 3 } },
  ])
})

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html: "When you set reserved concurrency to zero for an
// asynchronously invoked function, Lambda begins sending new events to the configured dead-letter queue or the on-failure event
// destination, without any retries." The name of the condition is from memory.
test('a function that may not run at all sends its events to the destination at once', async () => {
  await withDestination('stopped', fails, {})
  const FunctionName = 'stopped'
  await deploy.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }))
  await expect(deploy.invoke(FunctionName)).rejects.toMatchObject({
    name: 'TooManyRequestsException',
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
  })
  await deploy.invoke(FunctionName, { n: 4 }, event)
  await aws.lambda.drained()
  expect(await dead()).toMatchObject([{ requestContext: { condition: 'ZeroReservedConcurrency' } }])
})

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html: 1 MiB a message. A record is larger
// than the event in it: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html speaks of "Delivery errors […]
// due to permissions errors and size limits".
test('a record that the queue does not take is lost', async () => {
  await withDestination('too-large', fails, { MaximumRetryAttempts: 0 })
  await deploy.invoke('too-large', { n: 5, rest: 'x'.repeat(1024 * 1024 - 20) }, event)
  await aws.lambda.drained()
  expect(aws.lambda.undelivered).toMatchObject([{ record: { requestPayload: { n: 5 } } }])
  expect(await dead()).toEqual([])
})

// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html: "Valid Range" of its members.
test('what is configured for events has bounds, and is of one qualifier', async () => {
  const put = (input: object) =>
    deploy.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'fails', ...input }))
  await expect(put({ MaximumRetryAttempts: 3 })).rejects.toMatchObject({ name: 'ValidationException' })
  await expect(put({ MaximumEventAgeInSeconds: 59 })).rejects.toMatchObject({ name: 'ValidationException' })
  await put({ MaximumRetryAttempts: 0, Qualifier: await deploy.publish('fails') })
  const before = runs('fails')
  await deploy.invoke('fails', {}, { ...event, Qualifier: '1' })
  await aws.lambda.drained()
  expect(runs('fails') - before).toBe(1)
})

test('a time-out counts as a failed attempt', async () => {
  await deploy.fn('late', 'export const handler = async () => new Promise((r) => setTimeout(r, 9000))', { Timeout: 1 })
  const put = new PutFunctionEventInvokeConfigCommand({ FunctionName: 'late', MaximumRetryAttempts: 0 })
  await deploy.lambda.send(put)
  await deploy.invoke('late', {}, event)
  await aws.lambda.drained()
  expect(aws.lambda.failed.at(-1)).toMatchObject({ responsePayload: { errorType: 'Sandbox.Timedout' } })
})
