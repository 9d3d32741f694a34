import { CreateLogGroupCommand, PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs'
import { CreateTableCommand, DescribeTableCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb'
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketTaggingCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3'
import { CreateQueueCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { ownerTag } from '../names.js'
import type { Context } from './context.js'
import { isThere, unlessGone } from './failure.js'
import type { BucketResource, LogGroupResource, QueueResource, TableResource } from './resources.js'
import type { Operation } from './steps.js'
import { eventually } from './wait.js'

/** Changes of bucket, table, queue and log groups; undefined for other operations. */
export function sharedOperation(op: Operation, context: Context): Promise<unknown> | undefined {
  const { dynamodb, logs, sqs } = context.clients
  switch (op.do) {
    case 'create-bucket':
      return createBucket(op.bucket, context)
    case 'configure-bucket':
      return configureBucket(op.bucket, op.what, context)
    case 'create-table':
      return createTable(op.table, context)
    case 'wait-table':
      return untilReady(op.table, context)
    case 'set-expiry':
      return dynamodb.send(
        new UpdateTimeToLiveCommand({
          TableName: op.table.name,
          TimeToLiveSpecification: { AttributeName: op.table.expires, Enabled: true },
        }),
      )
    case 'create-queue':
      return createQueue(op.queue, context)
    case 'set-queue':
      return sqs.send(new SetQueueAttributesCommand({ QueueUrl: op.url, Attributes: queueAttributes(op.queue) }))
    case 'create-log-group':
      return createLogGroup(op.group, context)
    case 'set-retention':
      return logs.send(
        new PutRetentionPolicyCommand({ logGroupName: op.group.name, retentionInDays: op.group.retentionDays }),
      )
    default:
      return undefined
  }
}

async function createBucket({ name }: BucketResource, { clients, settings: { region } }: Context): Promise<void> {
  // us-east-1 is where buckets go of which nothing is said, and must not be said.
  const LocationConstraint = region === 'us-east-1' ? undefined : (region as BucketLocationConstraint)
  try {
    await clients.s3.send(
      new CreateBucketCommand({
        Bucket: name,
        ...(LocationConstraint && { CreateBucketConfiguration: { LocationConstraint } }),
      }),
    )
  } catch (error) {
    if (!isThere(error)) throw error
  }
}

async function configureBucket(
  { expiry, name: Bucket }: BucketResource,
  what: readonly ('tags' | 'access' | 'encryption' | 'expiry')[],
  { clients: { s3 }, settings }: Context,
): Promise<void> {
  if (what.includes('tags'))
    await s3.send(
      new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: ownerTag, Value: settings.prefix }] } }),
    )
  if (what.includes('access'))
    await s3.send(
      new PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: {
          ...{ BlockPublicAcls: true, BlockPublicPolicy: true },
          ...{ IgnorePublicAcls: true, RestrictPublicBuckets: true },
        },
      }),
    )
  if (what.includes('encryption'))
    await s3.send(
      new PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
      }),
    )
  if (what.includes('expiry'))
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: {
          Rules: [
            ...expiry.map(({ days, prefix }) => ({
              ID: `expire ${prefix}`,
              Status: 'Enabled' as const,
              Filter: { Prefix: prefix },
              Expiration: { Days: days },
            })),
            {
              ...{ ID: 'abort uploads', Status: 'Enabled' as const, Filter: { Prefix: '' } },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            },
          ],
        },
      }),
    )
}

async function createTable(table: TableResource, context: Context): Promise<void> {
  const { clients, pace, settings } = context
  const command = new CreateTableCommand({
    TableName: table.name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: table.partitionKey, AttributeType: 'S' },
      { AttributeName: table.sortKey, AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: table.partitionKey, KeyType: 'HASH' },
      { AttributeName: table.sortKey, KeyType: 'RANGE' },
    ],
    Tags: [{ Key: ownerTag, Value: settings.prefix }],
  })
  // One that was destroyed a moment ago keeps its name for some seconds.
  await eventually(pace, `table ${table.name}`, async () => {
    try {
      await clients.dynamodb.send(command)
      return true
    } catch (error) {
      if (!isThere(error)) throw error
      const found = await unlessGone(clients.dynamodb.send(new DescribeTableCommand({ TableName: table.name })))
      return found && found.Table?.TableStatus !== 'DELETING' ? true : undefined
    }
  })
  await untilReady(table, context)
}

async function untilReady({ name: TableName }: TableResource, { clients, pace }: Context): Promise<void> {
  await eventually(pace, `table ${TableName}`, async () => {
    const found = await unlessGone(clients.dynamodb.send(new DescribeTableCommand({ TableName })))
    return found?.Table?.TableStatus === 'ACTIVE' ? true : undefined
  })
}

async function createQueue(queue: QueueResource, { clients, pace, settings }: Context): Promise<void> {
  const command = new CreateQueueCommand({
    QueueName: queue.name,
    Attributes: queueAttributes(queue),
    tags: { [ownerTag]: settings.prefix },
  })
  // SQS keeps the name of a queue that was deleted for a minute.
  await eventually(pace, `queue ${queue.name}`, async () => {
    try {
      await clients.sqs.send(command)
      return true
    } catch (error) {
      if (/QueueDeletedRecently/.test((error as Error).name)) return undefined
      throw error
    }
  })
}

function queueAttributes({ retentionS, visibilityS }: QueueResource): Record<string, string> {
  return {
    MessageRetentionPeriod: String(retentionS),
    SqsManagedSseEnabled: 'true',
    ...(visibilityS !== undefined && { VisibilityTimeout: String(visibilityS) }),
  }
}

async function createLogGroup({ name, retentionDays }: LogGroupResource, { clients, settings }: Context) {
  const tags = { [ownerTag]: settings.prefix }
  try {
    await clients.logs.send(new CreateLogGroupCommand({ logGroupName: name, tags }))
  } catch (error) {
    if (!isThere(error)) throw error
  }
  await clients.logs.send(new PutRetentionPolicyCommand({ logGroupName: name, retentionInDays: retentionDays }))
}
