import { GetRoleCommand } from '@aws-sdk/client-iam'
import {
  GetFunctionCommand,
  LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Aws, startAws } from './double/index.js'
import { Deploy, type PolicyEntry } from './support/deploy.js'

let aws: Aws
let deploy: Deploy
beforeAll(async () => {
  aws = await startAws()
  deploy = new Deploy(aws)
}, 300_000)
afterAll(() => aws?.close())

const list = new ListFunctionsCommand({})

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html; names of the errors are from
// https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html.
test('a request needs a signature that is right in every part', async () => {
  const { credentials } = aws
  const client = (change: object, region = aws.region) =>
    new LambdaClient({ ...aws.client, region, credentials: { ...credentials, ...change }, maxAttempts: 1 })
  const invalid = { name: 'InvalidSignatureException', $metadata: { httpStatusCode: 403 } }
  await expect(client({ secretAccessKey: 'other' }).send(list)).rejects.toMatchObject(invalid)
  await expect(client({}, 'us-east-1').send(list)).rejects.toMatchObject(invalid)
  const unknown = { name: 'UnrecognizedClientException' }
  await expect(client({ accessKeyId: 'AKIAOTHER' }).send(list)).rejects.toMatchObject(unknown)
  await expect(client({ sessionToken: 'none was given' }).send(list)).rejects.toMatchObject(unknown)
  expect((await fetch(`${aws.endpoint}/2015-03-31/functions`)).status).toBe(403)
})

test('expired credentials are refused by every service in its own words', async () => {
  aws.expire()
  try {
    await expect(deploy.lambda.send(list)).rejects.toMatchObject({ name: 'ExpiredTokenException' })
    const role = deploy.iam.send(new GetRoleCommand({ RoleName: 'x' }))
    await expect(role).rejects.toMatchObject({ name: expect.stringMatching(/^ExpiredToken/) })
    const bucket = new S3Client({ ...aws.client, maxAttempts: 1 }).send(new CreateBucketCommand({ Bucket: 'x' }))
    await expect(bucket).rejects.toMatchObject({ name: 'ExpiredToken' })
  } finally {
    aws.expire(undefined, false)
  }
  await deploy.lambda.send(list)
})

test('the next calls of an operation can be throttled, broken off or fail, and the SDK tries again', async () => {
  const patient = new LambdaClient({ ...aws.client, maxAttempts: 3 })
  aws.faults.next('lambda:ListFunctions', 1, { kind: 'throttle' })
  aws.faults.next('lambda:ListFunctions', 1, { kind: 'error' })
  const { $metadata } = await patient.send(list)
  expect($metadata.attempts).toBe(3)
  expect(aws.calls.slice(-3).map(({ status }) => status)).toEqual([429, 500, 200])
  aws.faults.next('iam:*', 1, { kind: 'throttle' })
  const throttled = deploy.iam.send(new GetRoleCommand({ RoleName: 'x' }))
  await expect(throttled).rejects.toMatchObject({ name: expect.stringMatching(/^Throttling/) })
  aws.faults.next('*', 1, { kind: 'disconnect', when: 'before' })
  await expect(deploy.lambda.send(list)).rejects.toMatchObject({ code: 'ECONNRESET' })
  aws.faults.next('lambda:ListFunctions', 1, { kind: 'latency', ms: 50 })
  const started = performance.now()
  await deploy.lambda.send(list)
  expect(performance.now() - started).toBeGreaterThan(45)
})

test('a test can look at every call before it is answered', async () => {
  const seen: string[] = []
  const end = aws.faults.watch(({ service, operation }) => {
    seen.push(`${service}:${operation}`)
    if (operation === 'GetFunction') throw new Error('stop here')
  })
  await deploy.lambda.send(list)
  const found = deploy.lambda.send(new GetFunctionCommand({ FunctionName: 'x' }))
  await expect(found).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } })
  end()
  expect(seen).toEqual(['lambda:ListFunctions', 'lambda:GetFunction'])
})

test("a function can be gone behind the deployer's back", async () => {
  await deploy.fn('gone', 'export const handler = async () => {}')
  aws.lambda.deleteFunction('gone')
  const change = new UpdateFunctionConfigurationCommand({ FunctionName: 'gone', Timeout: 5 })
  await expect(deploy.lambda.send(change)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
})

test('a function may do what its role allows and nothing else', async () => {
  const source = `
    import { createRequire } from 'node:module'
    const require = createRequire(process.env.MODULES_OF)
    const { InvokeCommand, LambdaClient } = require('@aws-sdk/client-lambda')
    const { PutObjectCommand, S3Client } = require('@aws-sdk/client-s3')
    const { SendMessageCommand, SQSClient } = require('@aws-sdk/client-sqs')
    const [lambda, s3, sqs] = [LambdaClient, S3Client, SQSClient].map((Client) => new Client({ maxAttempts: 1 }))
    const send = {
      call: (x) => lambda.send(new InvokeCommand({ FunctionName: x.fn, Qualifier: x.alias })),
      put: (x) => s3.send(new PutObjectCommand({ Bucket: x.bucket, Key: x.key, Body: 'x' })),
      message: (x) => sqs.send(new SendMessageCommand({ QueueUrl: x.url, MessageBody: 'x' })),
    }
    export const handler = async (x) => send[x.kind](x).then(() => 'done', (error) => error.name)`
  const fn = (name: string) => `arn:aws:lambda:${aws.region}:${aws.account}:function:${name}`
  const Role = await deploy.role('caller', [
    { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: [`${fn('callee')}:*`, fn('caller')] },
    { Effect: 'Allow', Action: ['s3:Put*', 's3:GetObject'], Resource: 'arn:aws:s3:::mine/payloads/*' },
    { Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::mine/payloads/secret' },
  ])
  // The double's environments have no SDK of their own.
  const Environment = { Variables: { MODULES_OF: import.meta.filename } }
  await deploy.fn('caller', source, { Role, Environment, Timeout: 20 })
  await deploy.fn('callee', 'export const handler = async () => {}')
  await new S3Client(aws.client).send(new CreateBucketCommand({ Bucket: 'mine' }))
  const { QueueUrl: url } = await new SQSClient(aws.client).send(new CreateQueueCommand({ QueueName: 'q' }))
  const asks = async (payload: unknown) => (await deploy.invoke('caller', payload)).payload
  expect(await asks({ kind: 'call', fn: 'callee', alias: '$LATEST' })).toBe('done')
  expect(await asks({ kind: 'call', fn: 'callee' })).toBe('AccessDeniedException')
  expect(await asks({ kind: 'put', bucket: 'mine', key: 'payloads/a' })).toBe('done')
  expect(await asks({ kind: 'put', bucket: 'mine', key: 'other/a' })).toBe('AccessDenied')
  expect(await asks({ kind: 'put', bucket: 'mine', key: 'payloads/secret' })).toBe('AccessDenied')
  expect(await asks({ kind: 'message', url })).toBe('AccessDeniedException')
  await deploy.allow('caller', 'more', [
    { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: `arn:aws:sqs:${aws.region}:${aws.account}:q` },
  ])
  expect(await asks({ kind: 'message', url })).toBe('done')
})

// "Grant a user permissions to pass a role to an AWS service", IAM User Guide: who gives a service a role needs iam:PassRole on that role, and
// iam:PassedToService says which service may get it.
test('a role is passed to a service only by who may pass it to that one', async () => {
  const source = `
    import { createRequire } from 'node:module'
    const require = createRequire(process.env.MODULES_OF)
    const { LambdaClient, UpdateFunctionConfigurationCommand } = require('@aws-sdk/client-lambda')
    const lambda = new LambdaClient({ maxAttempts: 1 })
    export const handler = async (change) =>
      lambda.send(new UpdateFunctionConfigurationCommand(change)).then(() => 'done', ({ message }) => message)`
  const passed = await deploy.role('passed')
  const pass = (service: string): PolicyEntry => ({
    ...{ Effect: 'Allow', Action: 'iam:PassRole', Resource: passed },
    Condition: { StringEquals: { 'iam:PassedToService': service } },
  })
  const Role = await deploy.role('passer', [
    { Effect: 'Allow', Action: 'lambda:UpdateFunctionConfiguration', Resource: '*' },
    pass('scheduler.amazonaws.com'),
  ])
  await deploy.fn('passer', source, {
    Role,
    Environment: { Variables: { MODULES_OF: import.meta.filename } },
    Timeout: 20,
  })
  await deploy.fn('other', 'export const handler = async () => {}')
  const asks = async (change: object) => (await deploy.invoke('passer', { FunctionName: 'other', ...change })).payload
  expect(await asks({ MemorySize: 256 })).toBe('done')
  await deploy.updated('other')
  expect(await asks({ Role: passed })).toMatch(/not authorized to perform: iam:PassRole on resource: .*role\/passed/)
  await deploy.allow('passer', 'more', [pass('lambda.amazonaws.com')])
  expect(await asks({ Role: passed })).toBe('done')
})

// "GetFunction", AWS Lambda API Reference: tags are returned only to who has explicit permission for lambda:ListTags.
test('tags of a function are shown to who may list them', async () => {
  const source = `
    import { createRequire } from 'node:module'
    const require = createRequire(process.env.MODULES_OF)
    const { GetFunctionCommand, LambdaClient } = require('@aws-sdk/client-lambda')
    export const handler = async () =>
      (await new LambdaClient({ maxAttempts: 1 }).send(new GetFunctionCommand({ FunctionName: 'tagged' }))).Tags ?? null`
  const Role = await deploy.role('tags', [{ Effect: 'Allow', Action: 'lambda:GetFunction', Resource: '*' }])
  await deploy.fn('tags', source, {
    Role,
    Environment: { Variables: { MODULES_OF: import.meta.filename } },
    Timeout: 20,
  })
  await deploy.fn('tagged', 'export const handler = async () => {}', { Tags: { of: 'shop' } })
  expect((await deploy.invoke('tags')).payload).toBeNull()
  await deploy.allow('tags', 'more', [{ Effect: 'Allow', Action: 'lambda:ListTags', Resource: '*' }])
  expect((await deploy.invoke('tags')).payload).toEqual({ of: 'shop' })
})

test('a function whose role may not log loses its lines', async () => {
  const Role = await deploy.role('silent')
  await deploy.allow('silent', 'test', [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }])
  await deploy.fn('silent', 'export const handler = async () => console.log("x")', { Role })
  await deploy.invoke('silent')
  expect(deploy.logsOf('silent')).toBe('')
})
