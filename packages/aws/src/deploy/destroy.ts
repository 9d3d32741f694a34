import { DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs'
import { DeleteTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DeleteRoleCommand, DeleteRolePolicyCommand } from '@aws-sdk/client-iam'
import { DeleteEventSourceMappingCommand, DeleteFunctionCommand } from '@aws-sdk/client-lambda'
import { DeleteBucketCommand } from '@aws-sdk/client-s3'
import { DeleteScheduleGroupCommand } from '@aws-sdk/client-scheduler'
import { DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { bucketName, tableName } from '../names.js'
import type { Clients } from './clients.js'
import { emptyBucket } from './empty-bucket.js'
import { failing, unlessGone } from './failure.js'
import { observe } from './observe.js'
import type { Observed } from './observed.js'
import { parallel } from './parallel.js'
import { type DeployOptions, type Settings, settingsOf } from './settings.js'
import { eventually, type Pace, paceOf } from './wait.js'

/** What a destruction came to: resources as in `function fusionize-iot-check-air`. */
export interface Destruction {
  removed: string[]
  /** Has a name of the app's but not its tag. */
  left: string[]
}

export interface DestroyRun {
  /** Told when a resource is gone. */
  onRemoved?: ((resource: string) => void) | undefined
  signal?: AbortSignal | undefined
  /** Waits; a test's are shorter. */
  pace?: Partial<Pace> | undefined
}

/** Resources removed at a time. */
const AT_ONCE = 6

/** What `destroyApp` would remove and leave; changes nothing. @throws {FusionizeError} `DEPLOY_FAILED` */
export async function planDestruction(app: string, options: DeployOptions, clients: Clients): Promise<Destruction> {
  const settings = settingsOf(app, options)
  const observed = await observe(clients, settings)
  const removed = removals(observed, clients, settings, paceOf()).flat()
  return { removed: removed.map(({ resource }) => resource), left: leftOf(observed, settings) }
}

/**
 * Removes everything that carries the app's tag: what calls functions first, then these, then what they used. What is gone already is fine,
 * so it can be run again after a failure.
 * @throws {FusionizeError} `DEPLOY_FAILED`: which resource, what happened and what to do
 */
export async function destroyApp(
  app: string,
  options: DeployOptions,
  clients: Clients,
  { onRemoved, pace, signal }: DestroyRun = {},
): Promise<Destruction> {
  const settings = settingsOf(app, options)
  const observed = await observe(clients, settings)
  const removed: string[] = []
  for (const group of removals(observed, clients, settings, paceOf(pace, signal)))
    await parallel(group, AT_ONCE, async ({ remove, resource }) => {
      signal?.throwIfAborted()
      await failing(resource, 'delete', remove)
      removed.push(resource)
      onRemoved?.(resource)
    })
  return { removed, left: leftOf(observed, settings) }
}

interface Removal {
  resource: string
  remove(): Promise<unknown>
}

/** Groups that go one after the other. */
function removals(observed: Observed, clients: Clients, settings: Settings, pace: Pace): Removal[][] {
  const { dynamodb, iam, lambda, logs, s3, scheduler, sqs } = clients
  const { account, prefix, region } = settings
  const removal = (resource: string, remove: () => Promise<unknown>): Removal => ({ resource, remove })
  const bucket = bucketName(prefix, account, region)
  const functionRemoval = (FunctionName: string) =>
    removal(`function ${FunctionName}`, () => unlessGone(lambda.send(new DeleteFunctionCommand({ FunctionName }))))
  return [
    observed.mappings.map(({ id }) =>
      removal(`event source mapping ${id}`, () =>
        unlessGone(lambda.send(new DeleteEventSourceMappingCommand({ UUID: id }))),
      ),
    ),
    [...observed.scheduleGroups.keys()].map((group) =>
      removal(`schedule group ${group}`, () =>
        unlessGone(scheduler.send(new DeleteScheduleGroupCommand({ Name: group }))),
      ),
    ),
    // A run of it would make anew what goes.
    (observed.manager ? [observed.manager.name] : []).map(functionRemoval),
    [...observed.functions.keys()].map(functionRemoval),
    [...observed.logGroups.keys()].map((logGroupName) =>
      removal(`log group ${logGroupName}`, () => unlessGone(logs.send(new DeleteLogGroupCommand({ logGroupName })))),
    ),
    [...observed.roles].map(([RoleName, policies]) =>
      removal(`role ${RoleName}`, async () => {
        for (const PolicyName of policies.keys())
          await unlessGone(iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })))
        await unlessGone(iam.send(new DeleteRoleCommand({ RoleName })))
      }),
    ),
    [...observed.queues].map(([name, { url }]) =>
      removal(`queue ${name}`, () => unlessGone(sqs.send(new DeleteQueueCommand({ QueueUrl: url })))),
    ),
    observed.table ? [removal(`table ${tableName(prefix)}`, () => deleteTable(dynamodb, tableName(prefix), pace))] : [],
    observed.bucket?.isTagged
      ? [
          removal(`bucket ${bucket}`, async () => {
            await unlessGone(emptyBucket(s3, bucket, account))
            await unlessGone(s3.send(new DeleteBucketCommand({ Bucket: bucket, ExpectedBucketOwner: account })))
          }),
        ]
      : [],
  ]
}

/** A table goes some time after it was deleted. */
async function deleteTable(dynamodb: DynamoDBClient, TableName: string, pace: Pace): Promise<void> {
  await unlessGone(dynamodb.send(new DeleteTableCommand({ TableName })))
  await eventually(pace, `the end of table ${TableName}`, async () => {
    const found = await unlessGone(dynamodb.send(new DescribeTableCommand({ TableName })))
    return found === undefined ? true : undefined
  })
}

function leftOf({ bucket, strangers }: Observed, { account, prefix, region }: Settings): string[] {
  return [...strangers, ...(bucket?.isTagged === false ? [`bucket ${bucketName(prefix, account, region)}`] : [])]
}
