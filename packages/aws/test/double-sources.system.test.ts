import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionUrlConfigCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionUrlConfigCommand,
  type FunctionUrlAuthType,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda'
import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler'
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
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

async function url(FunctionName: string, AuthType: FunctionUrlAuthType, Qualifier?: string): Promise<string> {
  const create = new CreateFunctionUrlConfigCommand({ FunctionName, AuthType, Qualifier })
  return (await deploy.lambda.send(create)).FunctionUrl ?? ''
}

async function makePublic(FunctionName: string, Qualifier?: string): Promise<void> {
  const common = { FunctionName, Qualifier, Principal: '*' }
  const byUrl = { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' } as const
  await deploy.lambda.send(new AddPermissionCommand({ ...common, ...byUrl, StatementId: 'url' }))
  const invoke = { Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true }
  await deploy.lambda.send(new AddPermissionCommand({ ...common, ...invoke, StatementId: 'invoke' }))
}

// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html, "Request and response payloads".
test('a function URL makes an event of format 2.0 and an answer of what the function returns', async () => {
  await deploy.fn('web', 'export const handler = async (event) => JSON.parse(event.body ?? "null")?.answer ?? event')
  await deploy.lambda.send(new CreateAliasCommand({ FunctionName: 'web', Name: 'live', FunctionVersion: '$LATEST' }))
  const address = await url('web', 'NONE', 'live')
  await makePublic('web', 'live')
  const headers = { 'x-one': 'a', cookie: 'b=1; c=2' }
  const plain = await fetch(`${address}some/path%20x?q=1&q=2&r=`, { headers })
  expect(plain.headers.get('content-type')).toBe('application/json')
  expect(await plain.json()).toMatchObject({
    version: '2.0',
    rawPath: '/some/path%20x',
    rawQueryString: 'q=1&q=2&r=',
    cookies: ['b=1', 'c=2'],
    headers: { 'x-one': 'a' },
    queryStringParameters: { q: '1,2', r: '' },
    requestContext: { http: { method: 'GET', path: '/some/path%20x', protocol: 'HTTP/1.1' } },
    isBase64Encoded: false,
  })
  const post = (answer: unknown) => fetch(address, { method: 'POST', body: JSON.stringify({ answer }), headers: json })
  const json = { 'content-type': 'application/json' }
  const structured = await post({
    statusCode: 201,
    headers: { 'X-A': 1 },
    cookies: ['d=3'],
    body: 'aGk=',
    isBase64Encoded: true,
  })
  expect([structured.status, structured.headers.get('x-a'), await structured.text()]).toEqual([201, '1', 'hi'])
  expect(structured.headers.getSetCookie()).toEqual(['d=3'])
  expect(await (await post('text')).text()).toBe('"text"')
  const binary = await fetch(address, { method: 'POST', body: new Uint8Array([1, 2, 255]) })
  expect(await binary.text()).toBe('Internal Server Error')
})

// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html: "Starting in October 2025, new function URLs will require both
// lambda:InvokeFunctionUrl and lambda:InvokeFunction permissions."
test('a function URL answers those whom the policies let in', async () => {
  await deploy.fn('closed', 'export const handler = async () => "in"')
  const open = await url('closed', 'NONE')
  expect((await fetch(open)).status).toBe(403)
  await makePublic('closed')
  expect((await fetch(open)).status).toBe(200)
  await deploy.lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: 'closed' }))
  await expect(fetch(open)).rejects.toThrow()
  const signed = await url('closed', 'AWS_IAM')
  expect((await fetch(signed)).status).toBe(403)
})

async function queue(QueueName: string, VisibilityTimeout: number): Promise<{ url: string; arn: string }> {
  const sqs = new SQSClient(aws.client)
  const Attributes = { VisibilityTimeout: String(VisibilityTimeout) }
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
  return { url: QueueUrl, arn: `arn:aws:sqs:${aws.region}:${aws.account}:${QueueName}` }
}

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html, "Implementing partial batch responses".
test('a mapping invokes with batches, removes what was done and brings back what was not', async () => {
  const { url: QueueUrl, arn } = await queue('work', 1)
  const sqs = new SQSClient(aws.client)
  const source = `
    const seen = new Set()
    export const handler = async ({ Records }) => {
      console.log('batch ' + Records.map((record) => record.body).sort())
      const failed = Records.filter((record) => record.body === 'bad' && !seen.has(record.messageId))
      for (const { messageId } of failed) seen.add(messageId)
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
    }`
  const Role = await deploy.role('worker')
  await deploy.fn('worker', source, { Role, Timeout: 1 })
  const mapping = {
    FunctionName: 'worker',
    EventSourceArn: arn,
    FunctionResponseTypes: ['ReportBatchItemFailures' as const],
  }
  const create = () => deploy.lambda.send(new CreateEventSourceMappingCommand(mapping))
  await expect(create()).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
  const Action = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']
  await deploy.allow('worker', 'sqs', [{ Effect: 'Allow', Action, Resource: arn }])
  const Entries = ['good', 'bad', 'fine'].map((MessageBody, index) => ({ Id: String(index), MessageBody }))
  await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
  const { UUID } = await create()
  await expect(create()).rejects.toMatchObject({ name: 'ResourceConflictException' })
  await vi.waitFor(() => expect(deploy.logsOf('worker')).toContain('batch bad\n'), 5000)
  expect(deploy.logsOf('worker')).toContain('batch bad,fine,good\n')
  await vi.waitFor(async () => {
    const AttributeNames = ['ApproximateNumberOfMessages' as const, 'ApproximateNumberOfMessagesNotVisible' as const]
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))
    expect(Object.values(Attributes ?? {})).toEqual(['0', '0'])
  })
  expect((await aws.resources()).some((x) => x.includes('event-source-mapping'))).toBe(true)
  await deploy.lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
})

// "ListEventSourceMappings", AWS Lambda API Reference: at most 100 items in a page, MaxItems sets fewer, NextMarker leads on.
test('mappings are listed in pages', async () => {
  const { arn: EventSourceArn } = await queue('pages', 30)
  const allow = { Effect: 'Allow', Action: 'sqs:*', Resource: EventSourceArn } as const
  const Role = await deploy.role('pages', [allow])
  const made: (string | undefined)[] = []
  for (const FunctionName of ['page-1', 'page-2']) {
    await deploy.fn(FunctionName, 'export const handler = async () => {}', { Role })
    const command = new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn })
    made.push((await deploy.lambda.send(command)).UUID)
  }
  const list = async (Marker?: string) =>
    deploy.lambda.send(new ListEventSourceMappingsCommand({ EventSourceArn, MaxItems: 1, ...(Marker && { Marker }) }))
  const first = await list()
  const second = await list(first.NextMarker)
  const ids = [first, second].map(({ EventSourceMappings: all = [] }) => all.map(({ UUID }) => UUID))
  expect(ids).toEqual(made.map((id) => [id]))
  expect([first.NextMarker === undefined, second.NextMarker]).toEqual([false, undefined])
  for (const UUID of made) await deploy.lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
})

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html, "BatchSize"; the check of the visibility time-out is
// from memory (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html asks for six times the function's).
test('a mapping has bounds', async () => {
  const { arn: EventSourceArn } = await queue('short', 1)
  const all = { Effect: 'Allow', Action: 'sqs:*', Resource: EventSourceArn } as const
  await deploy.fn('bounds', 'export const handler = async () => {}', { Role: await deploy.role('bounds', [all]) })
  const create = (input: object) =>
    deploy.lambda.send(new CreateEventSourceMappingCommand({ FunctionName: 'bounds', EventSourceArn, ...input }))
  const refused = { name: 'InvalidParameterValueException' }
  await expect(create({ BatchSize: 11 })).rejects.toMatchObject(refused)
  await expect(create({ BatchSize: 10_001, MaximumBatchingWindowInSeconds: 1 })).rejects.toMatchObject(refused)
  await expect(create({})).rejects.toMatchObject({ ...refused, message: expect.stringContaining('visibility timeout') })
})

// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
test('a schedule invokes a function at its time, by its role', async () => {
  const scheduler = new SchedulerClient({ ...aws.client, maxAttempts: 1 })
  await deploy.fn('scheduled', 'export const handler = async (event) => console.log("due " + event.what)')
  const Arn = `arn:aws:lambda:${aws.region}:${aws.account}:function:scheduled`
  const invoke = { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: Arn } as const
  const RoleArn = await deploy.role('schedules', [invoke], 'scheduler.amazonaws.com')
  const input = {
    Name: 'x-sweep',
    ScheduleExpression: 'rate(5 minutes)',
    FlexibleTimeWindow: { Mode: 'OFF' as const },
    Target: { Arn, RoleArn, Input: JSON.stringify({ what: 'sweep' }) },
  }
  await scheduler.send(new CreateScheduleCommand(input))
  await expect(scheduler.send(new CreateScheduleCommand(input))).rejects.toMatchObject({ name: 'ConflictException' })
  aws.clock.advance(11 * 60_000)
  await aws.lambda.drained()
  expect(deploy.logsOf('scheduled').match(/due sweep/g)).toHaveLength(2)
  aws.scheduler.fire('x-sweep')
  await aws.lambda.drained()
  expect(deploy.logsOf('scheduled').match(/due sweep/g)).toHaveLength(3)
  const at = new Date(aws.clock.now() + 60_000).toISOString().slice(0, 19)
  const once = { ScheduleExpression: `at(${at})`, ActionAfterCompletion: 'DELETE' as const }
  await scheduler.send(new UpdateScheduleCommand({ ...input, ...once }))
  expect((await scheduler.send(new GetScheduleCommand({ Name: 'x-sweep' }))).ScheduleExpression).toBe(`at(${at})`)
  aws.clock.advance(61_000)
  await aws.lambda.drained()
  expect(deploy.logsOf('scheduled').match(/due sweep/g)).toHaveLength(4)
  const gone = scheduler.send(new DeleteScheduleCommand({ Name: 'x-sweep' }))
  await expect(gone).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
})
