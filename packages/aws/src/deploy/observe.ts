import { DescribeLogGroupsCommand, ListTagsForResourceCommand, type LogGroup } from '@aws-sdk/client-cloudwatch-logs'
import { DescribeTableCommand, DescribeTimeToLiveCommand, ListTagsOfResourceCommand } from '@aws-sdk/client-dynamodb'
import { GetRoleCommand, GetRolePolicyCommand, ListRolePoliciesCommand, ListRolesCommand } from '@aws-sdk/client-iam'
import { ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda'
import { GetQueueAttributesCommand, GetQueueUrlCommand, ListQueueTagsCommand } from '@aws-sdk/client-sqs'
import {
  deadLetterQueue,
  logGroup,
  managerLogGroup,
  managerName,
  managerScheduleRoleName,
  ownerTag,
  sweepRoleName,
  tableName,
  timeQueue,
} from '../names.js'
import type { Clients } from './clients.js'
import { failing, unlessGone } from './failure.js'
import { observeBucket } from './observe-bucket.js'
import { observeFunctions, observeQuotas } from './observe-functions.js'
import { observeSchedules } from './observe-schedules.js'
import type { Found, Observed } from './observed.js'
import { pages } from './pages.js'
import { parallel } from './parallel.js'
import { arnOf, type Settings } from './settings.js'

/** Requests to one service at a time. */
const AT_ONCE = 8

/**
 * Reads what is there of an app; changes nothing.
 * @throws {FusionizeError} `DEPLOY_FAILED` when AWS cannot be asked
 */
export async function observe(clients: Clients, settings: Settings): Promise<Observed> {
  const { prefix } = settings
  const [functions, manager, roles, logGroups, bucket, table, queues, scheduleGroups, mappings, quotas] =
    await Promise.all([
      observeFunctions(clients.lambda, prefix),
      observeFunctions(clients.lambda, prefix, [managerName(prefix)]),
      observeRoles(clients, prefix),
      observeLogGroups(clients, prefix),
      observeBucket(clients.s3, settings),
      observeTable(clients, prefix),
      observeQueues(clients, prefix),
      observeSchedules(clients, prefix),
      observeMappings(clients, settings),
      observeQuotas(clients.lambda),
    ])
  const all = [functions, manager, roles, logGroups, bucket, table, queues, scheduleGroups]
  return {
    functions: functions.own,
    manager: manager.own.get(managerName(prefix)) ?? null,
    roles: roles.own,
    logGroups: logGroups.own,
    bucket: bucket.own,
    table: table.own,
    queues: queues.own,
    mappings,
    scheduleGroups: scheduleGroups.own,
    quotas,
    strangers: all.flatMap(({ strangers }) => strangers),
  }
}

/** Whether an app has a manager. @throws {FusionizeError} `DEPLOY_FAILED` when AWS cannot be asked */
export async function hasManager(
  clients: Pick<Clients, 'lambda'>,
  { prefix }: Pick<Settings, 'prefix'>,
): Promise<boolean> {
  return (await observeFunctions(clients.lambda, prefix, [managerName(prefix)])).own.size > 0
}

async function observeRoles({ iam }: Clients, prefix: string): Promise<Found<Observed['roles']>> {
  const names: string[] = []
  for (let Marker: string | undefined, more = true; more; ) {
    const page = await failing('roles', 'ListRoles', () =>
      iam.send(new ListRolesCommand({ MaxItems: 1000, ...(Marker !== undefined && { Marker }) })),
    )
    names.push(...(page.Roles ?? []).map(({ RoleName }) => RoleName as string))
    Marker = page.Marker
    more = page.IsTruncated === true && Marker !== undefined
  }
  const others = [sweepRoleName(prefix), managerName(prefix), managerScheduleRoleName(prefix)]
  const candidates = names.filter((name) => name.startsWith(`${prefix}-`) || others.includes(name))
  const own: Observed['roles'] = new Map()
  const strangers: string[] = []
  await parallel(candidates, AT_ONCE, async (RoleName) => {
    const role = await failing(`role ${RoleName}`, 'GetRole', () =>
      unlessGone(iam.send(new GetRoleCommand({ RoleName }))),
    )
    if (!role) return
    if (!role.Role?.Tags?.some(({ Key, Value }) => Key === ownerTag && Value === prefix)) {
      strangers.push(`role ${RoleName}`)
      return
    }
    const policies = await failing(`role ${RoleName}`, 'ListRolePolicies', () =>
      unlessGone(iam.send(new ListRolePoliciesCommand({ RoleName }))),
    )
    const documents = new Map<string, string>()
    for (const PolicyName of policies?.PolicyNames ?? []) {
      const policy = await failing(`role ${RoleName}`, 'GetRolePolicy', () =>
        unlessGone(iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))),
      )
      if (policy) documents.set(PolicyName, decodeURIComponent(policy.PolicyDocument ?? ''))
    }
    own.set(RoleName, documents)
  })
  return { own, strangers }
}

async function observeLogGroups({ logs }: Clients, prefix: string): Promise<Found<Observed['logGroups']>> {
  const groups: LogGroup[] = []
  for (const logGroupNamePrefix of [logGroup(prefix, ''), managerLogGroup(prefix)])
    for (let nextToken: string | undefined, more = true; more; ) {
      const page = await failing('log groups', 'DescribeLogGroups', () =>
        logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix, ...(nextToken !== undefined && { nextToken }) })),
      )
      groups.push(...(page.logGroups ?? []))
      nextToken = page.nextToken
      more = nextToken !== undefined
    }
  const own: Observed['logGroups'] = new Map()
  const strangers: string[] = []
  await parallel(groups, AT_ONCE, async ({ arn, logGroupArn, logGroupName = '', retentionInDays }) => {
    const resourceArn = logGroupArn ?? arn?.replace(/:\*$/, '') ?? ''
    const tagged = await failing(`log group ${logGroupName}`, 'ListTagsForResource', () =>
      unlessGone(logs.send(new ListTagsForResourceCommand({ resourceArn }))),
    )
    if (tagged?.tags?.[ownerTag] === prefix) own.set(logGroupName, retentionInDays ?? null)
    else if (tagged) strangers.push(`log group ${logGroupName}`)
  })
  return { own, strangers }
}

async function observeTable({ dynamodb }: Clients, prefix: string): Promise<Found<Observed['table']>> {
  const TableName = tableName(prefix)
  return failing(`table ${TableName}`, 'DescribeTable', async () => {
    const table = (await unlessGone(dynamodb.send(new DescribeTableCommand({ TableName }))))?.Table
    if (!table || table.TableStatus === 'DELETING') return { own: null, strangers: [] }
    const { Tags } = await dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn: table.TableArn as string }))
    if (!Tags?.some(({ Key, Value }) => Key === ownerTag && Value === prefix))
      return { own: null, strangers: [`table ${TableName}`] }
    const { TimeToLiveDescription: ttl } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName }))
    const isOn = ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING'
    return {
      own: { isReady: table.TableStatus === 'ACTIVE', expires: isOn ? (ttl?.AttributeName ?? null) : null },
      strangers: [],
    }
  })
}

async function observeQueues({ sqs }: Clients, prefix: string): Promise<Found<Observed['queues']>> {
  const own: Observed['queues'] = new Map()
  const strangers: string[] = []
  for (const QueueName of [deadLetterQueue(prefix), timeQueue(prefix)])
    await failing(`queue ${QueueName}`, 'GetQueueAttributes', async () => {
      const url = (await unlessGone(sqs.send(new GetQueueUrlCommand({ QueueName }))))?.QueueUrl
      if (url === undefined) return
      const { Tags } = await sqs.send(new ListQueueTagsCommand({ QueueUrl: url }))
      if (Tags?.[ownerTag] !== prefix) return void strangers.push(`queue ${QueueName}`)
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: url,
          AttributeNames: ['MessageRetentionPeriod', 'VisibilityTimeout'],
        }),
      )
      const { MessageRetentionPeriod, VisibilityTimeout } = Attributes ?? {}
      own.set(QueueName, { url, retentionS: Number(MessageRetentionPeriod), visibilityS: Number(VisibilityTimeout) })
    })
  return { own, strangers }
}

/** Functions of the app that the queue of times comes to. */
async function observeMappings({ lambda }: Clients, settings: Settings): Promise<Observed['mappings']> {
  const EventSourceArn = arnOf(settings, 'sqs', timeQueue(settings.prefix))
  const all = await pages('event source mappings', 'ListEventSourceMappings', async (Marker) => {
    const command = new ListEventSourceMappingsCommand({ EventSourceArn, ...(Marker && { Marker }) })
    const { EventSourceMappings, NextMarker } = await lambda.send(command)
    return [EventSourceMappings ?? [], NextMarker]
  })
  const ours = arnOf(settings, 'lambda', `function:${settings.prefix}-`)
  return all.flatMap(({ FunctionArn = '', State = '', UUID = '' }) =>
    State === 'Deleting' || !FunctionArn.startsWith(ours)
      ? []
      : { id: UUID, functionArn: FunctionArn, isOn: State !== 'Disabled' && State !== 'Disabling' },
  )
}
