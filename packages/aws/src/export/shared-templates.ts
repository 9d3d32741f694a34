import { trustOf } from '../deploy/operate-roles.js'
import { type Desired, ofKind } from '../deploy/resources.js'
import type { Template } from './template.js'

export type Tags = { Key: string; Value: string }[]

/** Said for all that holds something: it goes with the stack, not by accident. */
const keeps = { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Retain' } as const

/** Logical id of the queue of times. */
export const timesId = 'Times'

/** Logical id of the role by which the scheduler calls. */
export const sweepRoleId = 'SweepRole'

/** Bucket, table, queue and schedules. */
export function sharedTemplates(desired: Desired, Tags: Tags): Template['Resources'] {
  const resources: Template['Resources'] = {}
  for (const { expiry, name } of ofKind(desired, 'bucket'))
    resources.Bucket = {
      Type: 'AWS::S3::Bucket',
      ...keeps,
      Properties: {
        BucketName: name,
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        PublicAccessBlockConfiguration: {
          ...{ BlockPublicAcls: true, BlockPublicPolicy: true },
          ...{ IgnorePublicAcls: true, RestrictPublicBuckets: true },
        },
        LifecycleConfiguration: {
          Rules: [
            ...expiry.map(({ days, prefix }) => ({
              ...{ Id: `expire ${prefix}`, Status: 'Enabled', Prefix: prefix },
              ExpirationInDays: days,
            })),
            {
              ...{ Id: 'abort uploads', Status: 'Enabled' },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            },
          ],
        },
        Tags,
      },
    }
  for (const { expires, name, partitionKey, sortKey } of ofKind(desired, 'table'))
    resources.Table = {
      Type: 'AWS::DynamoDB::Table',
      ...keeps,
      Properties: {
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: partitionKey, AttributeType: 'S' },
          { AttributeName: sortKey, AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: partitionKey, KeyType: 'HASH' },
          { AttributeName: sortKey, KeyType: 'RANGE' },
        ],
        TimeToLiveSpecification: { AttributeName: expires, Enabled: true },
        Tags,
      },
    }
  for (const { keeps: what, name, retentionS, visibilityS } of ofKind(desired, 'queue'))
    resources[what === 'times' ? timesId : 'DeadLetters'] = {
      Type: 'AWS::SQS::Queue',
      ...keeps,
      Properties: {
        QueueName: name,
        MessageRetentionPeriod: retentionS,
        ...(visibilityS !== undefined && { VisibilityTimeout: visibilityS }),
        SqsManagedSseEnabled: true,
        Tags,
      },
    }
  for (const { name } of ofKind(desired, 'schedule-group'))
    resources.SweepGroup = { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: name, Tags } }
  for (const role of ofKind(desired, 'role').filter(({ service }) => service === 'scheduler.amazonaws.com'))
    resources[sweepRoleId] = {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: role.name,
        AssumeRolePolicyDocument: trustOf(role, desired.settings.account),
        Policies: role.policies.map(({ document, name }) => ({ PolicyName: name, PolicyDocument: document })),
        Tags,
      },
    }
  return resources
}
