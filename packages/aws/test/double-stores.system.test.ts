import {
  CreateTableCommand,
  DynamoDBClient,
  ListTagsOfResourceCommand,
  PutItemCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import {
  CreateBucketCommand,
  GetBucketTaggingCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketTaggingCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import {
  CreateQueueCommand,
  ListQueueTagsCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Aws, startAws } from './double/index.js'

let aws: Aws
beforeAll(async () => {
  aws = await startAws()
}, 300_000)
afterAll(() => aws?.close())

test('objects come back as they were put, and a conditional write finds out that it was late', async () => {
  const s3 = new S3Client({ ...aws.client, maxAttempts: 1 })
  await s3.send(new CreateBucketCommand({ Bucket: 'things' }))
  const Key = 'payloads/a b+ü.json'
  await s3.send(new PutObjectCommand({ Bucket: 'things', Key, Body: 'x'.repeat(100_000), IfNoneMatch: '*' }))
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'things', Key }))
  expect((await Body?.transformToString())?.length).toBe(100_000)
  const late = s3.send(new PutObjectCommand({ Bucket: 'things', Key, Body: 'y', IfNoneMatch: '*' }))
  await expect(late).rejects.toMatchObject({ name: 'PreconditionFailed' })
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'things', Prefix: 'payloads/' }))
  expect(Contents?.map((x) => x.Key)).toEqual([Key])
})

test('a bucket keeps its tags', async () => {
  const s3 = new S3Client({ ...aws.client, maxAttempts: 1 })
  await s3.send(new CreateBucketCommand({ Bucket: 'tagged' }))
  await expect(s3.send(new GetBucketTaggingCommand({ Bucket: 'tagged' }))).rejects.toMatchObject({
    name: 'NoSuchTagSet',
  })
  const TagSet = [{ Key: 'fusionize:prefix', Value: 'x' }]
  await s3.send(new PutBucketTaggingCommand({ Bucket: 'tagged', Tagging: { TagSet } }))
  expect((await s3.send(new GetBucketTaggingCommand({ Bucket: 'tagged' }))).TagSet).toEqual(TagSet)
})

test('a message goes through a queue', async () => {
  const sqs = new SQSClient({ ...aws.client, maxAttempts: 1 })
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'dead', tags: { 'fusionize:prefix': 'x' } }))
  expect(QueueUrl).toBe(`${aws.endpoint}/${aws.account}/dead`)
  expect((await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ 'fusionize:prefix': 'x' })
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }))
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  expect(Messages?.[0]?.Body).toBe('hello')
})

test('a table keeps its tags and refuses a write whose condition does not hold', async () => {
  const dynamo = new DynamoDBClient({ ...aws.client, maxAttempts: 1 })
  const TableName = 'state'
  await dynamo.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      Tags: [{ Key: 'fusionize:prefix', Value: 'x' }],
    }),
  )
  await waitUntilTableExists({ client: dynamo, maxWaitTime: 5, minDelay: 0.02, maxDelay: 0.05 }, { TableName })
  const TimeToLiveSpecification = { Enabled: true, AttributeName: 'ends' }
  await dynamo.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
  const ResourceArn = `arn:aws:dynamodb:${aws.region}:${aws.account}:table/state`
  const { Tags } = await dynamo.send(new ListTagsOfResourceCommand({ ResourceArn }))
  expect(Tags).toEqual([{ Key: 'fusionize:prefix', Value: 'x' }])
  const put = () =>
    dynamo.send(
      new PutItemCommand({ TableName, Item: { id: { S: 'a' } }, ConditionExpression: 'attribute_not_exists(id)' }),
    )
  await put()
  await expect(put()).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
})

test('who calls learns who they are', async () => {
  const identity = await new STSClient(aws.client).send(new GetCallerIdentityCommand({}))
  expect(identity.Account).toBe(aws.account)
})

test('what exists is listed', async () => {
  expect(await aws.resources()).toEqual([
    `arn:aws:dynamodb:${aws.region}:${aws.account}:table/state`,
    'arn:aws:s3:::tagged',
    'arn:aws:s3:::things',
    `arn:aws:sqs:${aws.region}:${aws.account}:dead`,
  ])
})
