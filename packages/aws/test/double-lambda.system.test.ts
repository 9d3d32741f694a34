import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  paginateListFunctions,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Aws, startAws } from './double/index.js'
import { Deploy } from './support/deploy.js'
import { handlerZip } from './support/zip.js'

let aws: Aws
let deploy: Deploy
let chance = 0
beforeAll(async () => {
  aws = await startAws({ random: () => chance })
  deploy = new Deploy(aws)
}, 300_000)
afterAll(() => aws?.close())

const answers = (value: string) => `export const handler = async () => ${JSON.stringify(value)}`

test('a zip runs under the real runtime client and answers a synchronous invocation', async () => {
  await deploy.fn('sync', 'export const handler = async (event, context) => ({ event, name: context.functionName })')
  const answer = await deploy.invoke('sync', { a: [1, 'ü'] }, { LogType: 'Tail' })
  expect(answer).toMatchObject({ status: 200, version: '$LATEST', payload: { event: { a: [1, 'ü'] }, name: 'sync' } })
  expect(answer.log).toMatch(/^START RequestId: .*\nEND RequestId: .*\nREPORT .*Init Duration/s)
})

test('an asynchronous invocation is accepted at once and runs', async () => {
  await deploy.fn('async', 'export const handler = async (event) => { console.log("got " + event.n) }')
  expect(await deploy.invoke('async', { n: 7 }, { InvocationType: 'Event' })).toMatchObject({ status: 202 })
  await aws.lambda.drained()
  expect(deploy.logsOf('async')).toMatch(/got 7/)
})

test('a dry run only says that the call would be allowed', async () => {
  expect(await deploy.invoke('sync', {}, { InvocationType: 'DryRun' })).toMatchObject({ status: 204 })
})

test('code can come from a bucket', async () => {
  const s3 = new S3Client(aws.client)
  await s3.send(new CreateBucketCommand({ Bucket: 'code' }))
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key: 'a/b.zip', Body: handlerZip(answers('from a bucket')) }))
  await deploy.fn('stored', '', { Code: { S3Bucket: 'code', S3Key: 'a/b.zip' } })
  expect(await deploy.invoke('stored')).toMatchObject({ payload: 'from a bucket' })
})

test('a version stays what it was and an alias leads to it', async () => {
  await deploy.fn('versions', answers('one'))
  const version = await deploy.publish('versions')
  await deploy.lambda.send(new CreateAliasCommand({ FunctionName: 'versions', Name: 'live', FunctionVersion: version }))
  await deploy.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName: 'versions', ZipFile: handlerZip(answers('two')) }),
  )
  await deploy.updated('versions')
  expect(await deploy.invoke('versions')).toMatchObject({ payload: 'two', version: '$LATEST' })
  expect(await deploy.invoke('versions', {}, { Qualifier: 'live' })).toMatchObject({ payload: 'one', version: '1' })
  expect(await deploy.invoke('versions:live')).toMatchObject({ payload: 'one', version: '1' })
})

// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html: "Lambda doesn't publish a version if the function's
// configuration and code haven't changed since the last version."
test('a version is published only where something changed', async () => {
  const publish = (input = {}) => deploy.lambda.send(new PublishVersionCommand({ FunctionName: 'versions', ...input }))
  expect((await publish()).Version).toBe('2')
  expect((await publish()).Version).toBe('2')
  await expect(publish({ CodeSha256: 'other' })).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
  await expect(publish({ RevisionId: 'old' })).rejects.toMatchObject({ name: 'PreconditionFailedException' })
  const FunctionName = 'versions'
  const Environment = { Variables: { FUSIONIZE: 'x' } }
  await deploy.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment }))
  await deploy.updated('versions')
  expect((await publish()).Version).toBe('3')
  const { Versions } = await deploy.lambda.send(new ListVersionsByFunctionCommand({ FunctionName }))
  expect(Versions?.map(({ Version }) => Version)).toEqual(['$LATEST', '1', '2', '3'])
})

// https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html: two versions at most, both published, by chance.
test('an alias with weights shares the calls between two versions', async () => {
  const weighted = (weights: Record<string, number>) =>
    deploy.lambda.send(
      new UpdateAliasCommand({
        FunctionName: 'versions',
        Name: 'live',
        RoutingConfig: { AdditionalVersionWeights: weights },
      }),
    )
  await weighted({ 2: 0.25 })
  chance = 0.2
  expect(await deploy.invoke('versions', {}, { Qualifier: 'live' })).toMatchObject({ payload: 'two', version: '2' })
  chance = 0.3
  expect(await deploy.invoke('versions', {}, { Qualifier: 'live' })).toMatchObject({ payload: 'one', version: '1' })
  await expect(weighted({ 2: 0.1, 3: 0.1 })).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
  await expect(weighted({ $LATEST: 0.1 })).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
  await weighted({})
  chance = 0
  expect(await deploy.invoke('versions', {}, { Qualifier: 'live' })).toMatchObject({ version: '1' })
})

test('a version to which an alias points cannot be deleted', async () => {
  const remove = (Qualifier: string) =>
    deploy.lambda.send(new DeleteFunctionCommand({ FunctionName: 'versions', Qualifier }))
  await expect(remove('1')).rejects.toMatchObject({ name: 'ResourceConflictException' })
  await remove('2')
  await expect(deploy.invoke('versions', {}, { Qualifier: '2' })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})

// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html: Pending functions refuse calls; while an update is in progress
// further changes fail with ResourceConflictException and invocations get what was there before.
test('a new function is pending for a while, and an update is in progress', async () => {
  const Role = await deploy.role('states')
  const FunctionName = 'states'
  const Code = { ZipFile: handlerZip(answers('old')) }
  const create = new CreateFunctionCommand({
    FunctionName,
    Role,
    Code,
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
  })
  aws.lambda.settleMs = 60_000
  expect((await deploy.lambda.send(create)).State).toBe('Pending')
  await expect(deploy.invoke(FunctionName)).rejects.toMatchObject({ name: 'ResourceConflictException' })
  aws.clock.advance(60_000)
  expect(await deploy.invoke(FunctionName)).toMatchObject({ payload: 'old' })
  const update = () =>
    deploy.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: handlerZip(answers('new')) }))
  expect((await update()).LastUpdateStatus).toBe('InProgress')
  await expect(update()).rejects.toMatchObject({ name: 'ResourceConflictException' })
  expect(await deploy.invoke(FunctionName)).toMatchObject({ payload: 'old' })
  aws.clock.advance(60_000)
  aws.lambda.settleMs = 20
  expect(await deploy.invoke(FunctionName)).toMatchObject({ payload: 'new' })
})

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html, and from memory: a role takes seconds to be known.
test('a role that is not there yet cannot be assumed', async () => {
  aws.iam.propagationMs = 60_000
  try {
    await expect(deploy.fn('early', answers('x'))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'The role defined for the function cannot be assumed by Lambda.',
    })
    aws.clock.advance(60_000)
    await deploy.fn('early', answers('x'), { Role: aws.iam.roles.get('role-of-early')?.arn })
  } finally {
    aws.iam.propagationMs = 0
  }
})

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "Function configuration, deployment, and execution".
test('memory, time-out and environment variables have bounds', async () => {
  const change = (input: object) =>
    deploy.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'early', ...input }))
  await expect(change({ MemorySize: 127 })).rejects.toMatchObject({ name: 'ValidationException' })
  await expect(change({ MemorySize: 10_241 })).rejects.toMatchObject({ name: 'ValidationException' })
  await expect(change({ Timeout: 901 })).rejects.toMatchObject({ name: 'ValidationException' })
  const variables = (Variables: Record<string, string>) => change({ Environment: { Variables } })
  const refused = { name: 'InvalidParameterValueException' }
  await expect(variables({ TOO_MUCH: 'x'.repeat(4096) })).rejects.toMatchObject(refused)
  await expect(variables({ AWS_REGION: 'mine' })).rejects.toMatchObject(refused)
})

/** The zip with another size in its table of contents for what is in it. */
function claiming(zip: Uint8Array, bytes: number): Uint8Array {
  const lying = Buffer.from(zip)
  // https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12: uncompressed size, 24 bytes into the entry.
  lying.writeUInt32LE(bytes, lying.indexOf('PK\x01\x02') + 24)
  return lying
}

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "Deployment package": 50 MB (zipped, uploaded directly), 250 MB
// (unzipped). The exact bytes of a request are from memory of the error message.
test('a deployment package is limited', async () => {
  const upload = (ZipFile: Uint8Array) =>
    deploy.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'sync', ZipFile, DryRun: true }))
  const zip = handlerZip(answers('x'))
  await upload(claiming(zip, 262_144_000))
  const refused = { name: 'InvalidParameterValueException', message: expect.stringContaining('Unzipped size') }
  await expect(upload(claiming(zip, 262_144_001))).rejects.toMatchObject(refused)
  await expect(upload(Buffer.from('no zip'))).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
  const large = upload(Buffer.alloc(53_000_000))
  await expect(large).rejects.toMatchObject({ name: 'RequestEntityTooLargeException' })
})

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and API_CreateAlias.html: patterns of the names.
test('names have a form', async () => {
  const name = deploy.fn('x'.repeat(65), answers('x'), { Role: aws.iam.roles.get('role-of-sync')?.arn })
  await expect(name).rejects.toMatchObject({ name: 'ValidationException' })
  const alias = (Name: string) =>
    deploy.lambda.send(new CreateAliasCommand({ FunctionName: 'sync', FunctionVersion: '$LATEST', Name }))
  await expect(alias('12')).rejects.toMatchObject({ name: 'ValidationException' })
  await expect(alias('setup.1')).rejects.toMatchObject({ name: 'ValidationException' })
})

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html: 100 must be left to functions without a reservation.
test('a reservation leaves 100 executions to the others', async () => {
  const reserve = (ReservedConcurrentExecutions: number) =>
    deploy.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'early', ReservedConcurrentExecutions }))
  await expect(reserve(901)).rejects.toMatchObject({ name: 'InvalidParameterValueException' })
  await reserve(900)
  const { AccountLimit } = await deploy.lambda.send(new GetAccountSettingsCommand({}))
  expect(AccountLimit).toMatchObject({ ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: 100 })
  const found = await deploy.lambda.send(new GetFunctionCommand({ FunctionName: 'early' }))
  expect(found.Concurrency).toEqual({ ReservedConcurrentExecutions: 900 })
})

test('lists come in pages', async () => {
  aws.lambda.pageSize = 2
  const names: string[] = []
  let pages = 0
  for await (const { Functions = [] } of paginateListFunctions({ client: deploy.lambda }, {})) {
    names.push(...Functions.map(({ FunctionName = '' }) => FunctionName))
    pages++
  }
  aws.lambda.pageSize = 50
  expect(names).toEqual(['async', 'early', 'states', 'stored', 'sync', 'versions'])
  expect(pages).toBe(3)
})

test('a function has tags and a policy', async () => {
  const { FunctionArn: Resource } = await deploy.lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: 'early' }),
  )
  await deploy.lambda.send(new TagResourceCommand({ Resource, Tags: { 'fusionize:prefix': 'x', other: 'y' } }))
  await deploy.lambda.send(new UntagResourceCommand({ Resource, TagKeys: ['other'] }))
  expect((await deploy.lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ 'fusionize:prefix': 'x' })
  const FunctionName = 'early'
  const StatementId = 'url'
  const permission = { FunctionName, StatementId, Principal: '*', Action: 'lambda:InvokeFunctionUrl' }
  await deploy.lambda.send(new AddPermissionCommand({ ...permission, FunctionUrlAuthType: 'NONE' }))
  await expect(deploy.lambda.send(new AddPermissionCommand(permission))).rejects.toMatchObject({
    name: 'ResourceConflictException',
  })
  const { Policy = '' } = await deploy.lambda.send(new GetPolicyCommand({ FunctionName }))
  expect(JSON.parse(Policy).Statement).toMatchObject([{ Sid: 'url', Resource }])
  await deploy.lambda.send(new RemovePermissionCommand({ FunctionName, StatementId }))
  await expect(deploy.lambda.send(new GetPolicyCommand({ FunctionName }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})

test('a function is gone with its versions and aliases', async () => {
  expect(await aws.resources()).toContain(`arn:aws:lambda:${aws.region}:${aws.account}:function:versions:live`)
  await deploy.lambda.send(new DeleteFunctionCommand({ FunctionName: 'versions' }))
  expect((await aws.resources()).filter((arn) => arn.includes('function:versions'))).toEqual([])
  expect(aws.lambda.environments('versions')).toEqual([])
})
