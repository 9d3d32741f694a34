import type { Clock } from './clock.js'
import { Clock as DoubleClock } from './clock.js'
import type { Service, ServiceDouble } from './gateway/call.js'
import { Faults } from './gateway/faults.js'
import { type Answered, Gateway } from './gateway/gateway.js'
import { type Credentials, Principals } from './iam/principals.js'
import { RoleStore } from './iam/roles.js'
import { IamDouble } from './iam/service.js'
import { StsDouble } from './iam/sts.js'
import { LambdaControls } from './lambda/controls.js'
import { endpointVariables } from './lambda/environment-spec.js'
import { startLambda } from './lambda/start.js'
import { LogsDouble } from './logs/service.js'
import { LogStore } from './logs/store.js'
import { type AwsOptions, defaults } from './options.js'
import { existing } from './resources.js'
import { runtimeClient } from './runtime/client.js'
import { Reaper } from './sandbox/reaper.js'
import { SchedulerDouble } from './scheduler/service.js'
import { DynamoDbDouble } from './stores/dynamodb.js'
import { Queues } from './stores/queues.js'
import { S3Double } from './stores/s3.js'
import { SqsDouble } from './stores/sqs.js'
import { startStores } from './stores/start.js'

export type { AwsOptions } from './options.js'

/** The account of the double, which is that of `fauxqs` and `dynalite`. */
export const account = '000000000000'

/** An AWS on this machine: one account in one region. */
export interface Aws {
  /** Address of every service. */
  endpoint: string
  region: string
  account: string
  /** Of one who may do all. */
  credentials: Credentials
  /** What a client of the SDK takes. */
  client: { endpoint: string; region: string; credentials: Credentials }
  /** Variables with which a process that uses the SDK finds this AWS. */
  env: Record<string, string>
  clock: Pick<Clock, 'now' | 'advance'>
  /** Faults of coming calls, and a look at each call before it is answered. */
  faults: Pick<Faults, 'next' | 'watch' | 'clear'>
  /** Calls that were answered, oldest first. */
  calls: readonly Answered[]
  lambda: LambdaControls
  logs: Pick<LogsDouble, 'pageSize'> & { messages(group: string): string[] }
  iam: Pick<RoleStore, 'roles' | 'propagationMs'>
  scheduler: Pick<SchedulerDouble, 'fire' | 'problems' | 'schedules'>
  /** From now on the credentials are refused as expired; without a key those of the one who may do all. `false` ends it. */
  expire(accessKeyId?: string, expired?: boolean): void
  /** ARNs of all that exists, sorted. */
  resources(): Promise<string[]>
  /** Ends every process and removes every file. */
  close(): Promise<void>
}

/**
 * Starts an AWS; the first start on a machine builds Amazon's runtime client, which takes a minute or two.
 * Not imitated: a second region or account, how long anything takes and what it costs, and what each double's own comment names.
 */
export async function startAws(options: Partial<AwsOptions> = {}): Promise<Aws> {
  const chosen = { ...defaults, ...options }
  const { region } = chosen
  await runtimeClient()
  const clock = new DoubleClock()
  const principals = new Principals(account)
  const roles = new RoleStore(account, clock, chosen.rolePropagationMs)
  const logStore = new LogStore(region, account, clock)
  const logs = new LogsDouble(logStore)
  const reaper = new Reaper()
  const stores = await startStores(region)
  const queues = new Queues(stores.s3AndSqs, region)
  const sqs = new SqsDouble(stores.s3AndSqs, queues, region, account)
  const faults = new Faults()
  const doubles: Partial<Record<Service, ServiceDouble>> = {
    iam: new IamDouble(roles),
    logs,
    sts: new StsDouble(account),
    s3: new S3Double(stores.s3AndSqs),
    sqs,
    dynamodb: new DynamoDbDouble(stores.dynamodb, region, account),
  }
  const gateway = new Gateway({
    region,
    principals,
    roles,
    faults,
    services: doubles as Record<Service, ServiceDouble>,
  })
  const endpoint = await gateway.listen()
  sqs.endpoint = endpoint
  const lambda = startLambda({
    options: chosen,
    account,
    endpoint,
    clock,
    reaper,
    roles,
    principals,
    logs: logStore,
    queues,
    s3: stores.s3AndSqs,
  })
  const scheduler = new SchedulerDouble({ region, account, clock, roles, invoke: lambda.invokeByArn })
  doubles.lambda = lambda.service
  doubles.scheduler = scheduler
  const controls = new LambdaControls(lambda)
  const { administrator: credentials } = principals
  return {
    endpoint,
    region,
    account,
    credentials,
    client: { endpoint, region, credentials },
    env: {
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...endpointVariables(endpoint),
    },
    clock,
    faults,
    calls: gateway.calls,
    lambda: controls,
    logs: Object.assign(logs, { messages: (group: string) => logStore.messages(group) }),
    iam: roles,
    scheduler,
    expire: (accessKeyId = credentials.accessKeyId, expired = true) => principals.expire(accessKeyId, expired),
    resources: () => existing({ lambda, roles, logs: logStore, scheduler, stores, region }),
    close: async () => {
      clock.stop()
      await lambda.close()
      await gateway.close()
      await stores.close()
      await reaper.close()
    },
  }
}
