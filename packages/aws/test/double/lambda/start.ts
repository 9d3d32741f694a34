import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.js'
import { isAllowed } from '../iam/policy.js'
import type { Principals } from '../iam/principals.js'
import type { RoleStore } from '../iam/roles.js'
import type { LogStore } from '../logs/store.js'
import type { AwsOptions } from '../options.js'
import { CodeStore } from '../sandbox/code.js'
import type { Reaper } from '../sandbox/reaper.js'
import { forward } from '../stores/forward.js'
import type { Queues } from '../stores/queues.js'
import { AsyncQueue, type FailureRecord } from './async-queue.js'
import { environmentSpec } from './environment-spec.js'
import { FunctionChanges } from './functions.js'
import { Invoker, newTraceId } from './invoke.js'
import { Mappings } from './mappings.js'
import { Places } from './places.js'
import { Pool } from './pool.js'
import { LambdaDouble } from './service.js'
import { FunctionSettings } from './settings.js'
import { FunctionUrls } from './urls.js'

export interface LambdaWorld {
  options: AwsOptions
  account: string
  endpoint: string
  clock: Clock
  reaper: Reaper
  roles: RoleStore
  principals: Principals
  logs: LogStore
  queues: Queues
  /** Address of the server that stands for S3. */
  s3: string
}

/** All of Lambda, put together. */
export interface LambdaSystem {
  service: LambdaDouble
  places: Places
  pool: Pool
  queue: AsyncQueue
  changes: FunctionChanges
  mappings: Mappings
  /** How long changes take, which a test may change. */
  timing: { settleMs: number }
  /** Accepts an asynchronous invocation from a service of AWS. */
  invokeByArn(arn: string, input: string): void
  folder: string
  close(): Promise<void>
}

export function startLambda(world: LambdaWorld): LambdaSystem {
  const { options, clock, reaper, roles, queues } = world
  const places = new Places(options.region, world.account, options.random)
  const code = new CodeStore(reaper.folder)
  const specParts = { ...world, region: options.region, folder: reaper.folder, code, initLimitMs: options.initLimitMs }
  const pool = new Pool(
    {
      clock,
      reaper,
      functions: places.functions,
      specOf: (configuration) => environmentSpec(configuration, specParts),
    },
    { accountConcurrency: options.accountConcurrency, idleMs: options.environmentIdleMs },
  )
  const invoker = new Invoker(places, pool)
  const deliver = async (destination: string, record: FailureRecord, name: string) => {
    const role = roles.byArn(places.functions.get(name)?.latest.Role ?? '')?.name ?? ''
    if (!isAllowed(roles.policiesOf(role), 'sqs:SendMessage', destination))
      throw new Error(`${role} may not call sqs:SendMessage on ${destination}`)
    await queues.send(destination, JSON.stringify(record))
  }
  const queue = new AsyncQueue({ places, invoker, clock, delayScale: options.delayScale, deliver })
  const changeParts = {
    places,
    roles,
    code,
    clock,
    settleMs: options.settleMs,
    readObject: (bucket: string, key: string) => readObject(world.s3, bucket, key),
    retire: (configuration: Parameters<Pool['retire']>[0]) => pool.retire(configuration),
  }
  const changes = new FunctionChanges(changeParts)
  const settings = new FunctionSettings({ places, pool, roles, clock })
  const urls = new FunctionUrls({
    places,
    invoker,
    principals: world.principals,
    roles,
    region: options.region,
    now: () => clock.date(),
  })
  const mappings = new Mappings({ places, invoker, roles, queues, clock, delayScale: options.delayScale })
  const service = new LambdaDouble(
    { places, invoker, queue, changes, settings, versions: changeParts, roles },
    { ...urls.operations, ...mappings.operations },
  )
  return {
    service,
    places,
    pool,
    queue,
    changes,
    mappings,
    timing: changeParts,
    folder: reaper.folder,
    invokeByArn: (arn, input) => {
      const { name, qualifier } = places.parse(arn)
      places.configuration(places.find(name), qualifier)
      queue.accept({ name, qualifier, payload: Buffer.from(input), requestId: randomUUID(), traceId: newTraceId() })
    },
    close: async () => {
      queue.clear()
      mappings.close()
      urls.close()
      await pool.close()
    },
  }
}

async function readObject(target: string, bucket: string, key: string): Promise<Buffer | undefined> {
  const url = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
  const reply = await forward({ method: 'GET', url, headers: { host: '127.0.0.1' }, body: Buffer.alloc(0) }, target)
  return reply.status === 200 ? Buffer.from(reply.body ?? '') : undefined
}
