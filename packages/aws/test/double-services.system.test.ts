import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  ListTagsForResourceCommand,
  PutRetentionPolicyCommand,
  paginateFilterLogEvents,
  TagResourceCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListRolePoliciesCommand,
  ListRoleTagsCommand,
  PutRolePolicyCommand,
  paginateListRoles,
  TagRoleCommand,
} from '@aws-sdk/client-iam'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Aws, startAws } from './double/index.js'
import { Deploy } from './support/deploy.js'

let aws: Aws
let deploy: Deploy
let logs: CloudWatchLogsClient
beforeAll(async () => {
  aws = await startAws()
  deploy = new Deploy(aws)
  logs = new CloudWatchLogsClient({ ...aws.client, maxAttempts: 1 })
}, 300_000)
afterAll(() => aws?.close())

const trust = (Service: string) =>
  JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }] })

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html: "you must first […] delete all inline policies".
test('a role keeps its policies and tags, and is removed only without policies', async () => {
  const { iam } = deploy
  const RoleName = 'app-f'
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: trust('lambda.amazonaws.com'),
      Tags: [{ Key: 'a', Value: '<b>&' }],
    }),
  )
  expect(Role?.Arn).toBe(`arn:aws:iam::${aws.account}:role/app-f`)
  await expect(
    iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust('lambda.amazonaws.com') })),
  ).rejects.toMatchObject({ name: 'EntityAlreadyExistsException' })
  await iam.send(new TagRoleCommand({ RoleName, Tags: [{ Key: 'c', Value: 'd' }] }))
  expect((await iam.send(new ListRoleTagsCommand({ RoleName }))).Tags).toEqual([
    { Key: 'a', Value: '<b>&' },
    { Key: 'c', Value: 'd' },
  ])
  const PolicyDocument = JSON.stringify({
    Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::a/*' }],
  })
  const put = (document: string) =>
    iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'setup-1', PolicyDocument: document }))
  await put(PolicyDocument)
  await expect(put('{')).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' })
  const policy = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'setup-1' }))
  expect(decodeURIComponent(policy.PolicyDocument ?? '')).toBe(PolicyDocument)
  expect((await iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames).toEqual(['setup-1'])
  const remove = () => iam.send(new DeleteRoleCommand({ RoleName }))
  await expect(remove()).rejects.toMatchObject({ name: 'DeleteConflictException' })
  await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'setup-1' }))
  await remove()
  const gone = iam.send(new GetRoleCommand({ RoleName }))
  await expect(gone).rejects.toMatchObject({ name: 'NoSuchEntityException' })
})

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, "IAM and STS character limits": 10,240 characters.
test('the policies of a role are limited', async () => {
  await deploy.role('large')
  const Resource = Array.from({ length: 100 }, (_, i) => `arn:aws:s3:::${'x'.repeat(90)}${i}`)
  const put = (policy: string) => deploy.allow('large', policy, [{ Effect: 'Allow', Action: 's3:GetObject', Resource }])
  await expect(put('first').then(() => put('second'))).rejects.toMatchObject({ name: 'LimitExceededException' })
})

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 50 tags of a role; names of up to 64 characters.
test('tags and names of roles are limited', async () => {
  const Tags = Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: 'v' }))
  const tagged = deploy.iam.send(new TagRoleCommand({ RoleName: 'large', Tags }))
  await expect(tagged).rejects.toMatchObject({ name: 'LimitExceededException' })
  await expect(deploy.role('x'.repeat(65))).rejects.toMatchObject({ name: expect.stringMatching(/^ValidationError/) })
})

test('roles are listed in pages', async () => {
  for (const name of ['p1', 'p2', 'p3']) await deploy.role(name)
  const names: string[] = []
  for await (const { Roles = [] } of paginateListRoles({ client: deploy.iam, pageSize: 2 }, {}))
    names.push(...Roles.map(({ RoleName = '' }) => RoleName))
  expect(names).toEqual(['large', 'p1', 'p2', 'p3'])
})

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html, "retentionInDays".
test('a log group has a retention and tags', async () => {
  const logGroupName = '/aws/lambda/app-f'
  await logs.send(new CreateLogGroupCommand({ logGroupName, tags: { a: 'b' } }))
  await expect(logs.send(new CreateLogGroupCommand({ logGroupName }))).rejects.toMatchObject({
    name: 'ResourceAlreadyExistsException',
  })
  const retain = (retentionInDays: number) =>
    logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }))
  await retain(14)
  await expect(retain(15)).rejects.toMatchObject({ name: 'InvalidParameterException' })
  const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/lambda/app' }))
  const [group] = logGroups
  expect(group).toMatchObject({ logGroupName, retentionInDays: 14, arn: `${group?.logGroupArn}:*` })
  await logs.send(new TagResourceCommand({ resourceArn: group?.logGroupArn, tags: { c: 'd' } }))
  const { tags } = await logs.send(new ListTagsForResourceCommand({ resourceArn: group?.logGroupArn }))
  expect(tags).toEqual({ a: 'b', c: 'd' })
  await logs.send(new DeleteLogGroupCommand({ logGroupName }))
  await expect(retain(14)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
})

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html, "Match terms in unstructured log events".
test('what functions wrote is found by time and by terms, in pages', async () => {
  const source = `export const handler = async ({ lines }) => { for (const line of lines) console.log(line) }`
  await deploy.fn('writer', source)
  const logGroupName = '/aws/lambda/writer'
  await deploy.invoke('writer', { lines: ['FUSIONIZE {"a":1}', 'two\nlines', 'other'] }, { LogType: 'Tail' })
  const between = aws.clock.now()
  aws.clock.advance(1000)
  await deploy.invoke('writer', { lines: ['FUSIONIZE {"a":2}'] }, { LogType: 'Tail' })
  logs.config.maxAttempts = async () => 1
  const find = async (filterPattern?: string, startTime?: number) => {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern, startTime }))
    return events.map(({ message = '' }) => message.split('\t').at(-1)?.trim() ?? '')
  }
  expect(await find('FUSIONIZE')).toEqual(['FUSIONIZE {"a":1}', 'FUSIONIZE {"a":2}'])
  expect(await find('FUSIONIZE', between + 1)).toEqual(['FUSIONIZE {"a":2}'])
  expect(await find('?"FUSIONIZE {" ?other')).toEqual(['FUSIONIZE {"a":1}', 'other', 'FUSIONIZE {"a":2}'])
  expect(await find('two -FUSIONIZE')).toEqual(['two\nlines'])
  aws.logs.pageSize = 3
  let pages = 0
  let events = 0
  for await (const page of paginateFilterLogEvents({ client: logs }, { logGroupName })) {
    pages++
    events += page.events?.length ?? 0
  }
  aws.logs.pageSize = 10_000
  expect([pages, events]).toEqual([Math.ceil(events / 3), aws.logs.messages(logGroupName).length])
  const { logStreams = [] } = await logs.send(new DescribeLogStreamsCommand({ logGroupName }))
  expect(logStreams).toMatchObject([
    { logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/) },
  ])
  const { logStreamName } = logStreams[0] ?? {}
  const stream = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }))
  expect(stream.events?.[0]?.message).toMatch(/^INIT_START/)
})
