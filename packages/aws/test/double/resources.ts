import type { RoleStore } from './iam/roles.js'
import type { LambdaSystem } from './lambda/start.js'
import type { LogStore } from './logs/store.js'
import type { SchedulerDouble } from './scheduler/service.js'
import { forward } from './stores/forward.js'
import type { Stores } from './stores/start.js'

interface World {
  region: string
  lambda: LambdaSystem
  roles: RoleStore
  logs: LogStore
  scheduler: SchedulerDouble
  stores: Stores
}

/** ARNs of all that exists, for a test that wants something to be gone without a trace. */
export async function existing(world: World): Promise<string[]> {
  const { lambda, roles, logs, scheduler } = world
  const functions = [...lambda.places.functions.values()].flatMap((fn) => [
    fn.arn,
    ...[...fn.versions.keys(), ...fn.aliases.keys()].map((qualifier) => lambda.places.arnOf(fn.name, qualifier)),
    ...[...fn.urls.keys()].map((qualifier) => `${lambda.places.arnOf(fn.name, qualifier || undefined)}/url`),
  ])
  return [
    ...functions,
    ...[...lambda.mappings.all.values()].map(({ UUID, FunctionArn }) => `${FunctionArn}/event-source-mapping/${UUID}`),
    ...[...roles.roles.values()].map(({ arn }) => arn),
    ...[...logs.groups.values()].map(({ arn }) => arn),
    ...[...scheduler.schedules.values()].map(({ Arn }) => Arn),
    ...[...scheduler.groups.groups.values()].map(({ Arn }) => Arn),
    ...(await stored(world)),
  ].sort()
}

async function stored({ stores, region }: World): Promise<string[]> {
  const ask = async (target: string, service: string, method: string, headers: Record<string, string>) => {
    const scope = `Credential=TESTS/20200101/${region}/${service}/aws4_request`
    const authorization = `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=${'0'.repeat(64)}`
    const time = { 'x-amz-date': '20200101T000000Z', host: '127.0.0.1', authorization }
    const body = Buffer.from(method === 'POST' ? '{}' : '')
    return String((await forward({ method, url: '/', headers: { ...time, ...headers }, body }, target)).body)
  }
  const typed = (version: string, target: string) => ({
    'content-type': `application/x-amz-json-${version}`,
    'x-amz-target': target,
  })
  const buckets = await ask(stores.s3AndSqs, 's3', 'GET', {})
  const queues = await ask(stores.s3AndSqs, 'sqs', 'POST', typed('1.0', 'AmazonSQS.ListQueues'))
  const tables = await ask(stores.dynamodb, 'dynamodb', 'POST', typed('1.0', 'DynamoDB_20120810.ListTables'))
  const urls = (JSON.parse(queues) as { QueueUrls?: string[] }).QueueUrls ?? []
  return [
    ...[...buckets.matchAll(/<Name>(.*?)<\/Name>/g)].map(([, name]) => `arn:aws:s3:::${name}`),
    ...urls.map((url) => `arn:aws:sqs:${region}:${url.split('/').slice(-2).join(':')}`),
    ...((JSON.parse(tables) as { TableNames?: string[] }).TableNames ?? []).map(
      (name) => `arn:aws:dynamodb:${region}:000000000000:table/${name}`,
    ),
  ]
}
