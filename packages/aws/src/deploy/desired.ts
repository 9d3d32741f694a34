import { createHash } from 'node:crypto'
import type { Build } from '@fusionize/platform'
import { FusionizeError, suggest } from 'fusionize'
import { type App, entryTasks, setupId, type TaskInfo, withoutFusedBuckets } from 'fusionize/setup'
import {
  bucketName,
  deadLetterQueue,
  functionName,
  liveAlias,
  logGroup,
  setupAlias,
  sweepName,
  sweepRoleName,
  sweepScheduleName,
  tableName,
  timeQueue,
} from '../names.js'
import { COMMIT_MS } from '../runtime/buckets/ports.js'
import { ENVIRONMENT_VARIABLE, type Environment } from '../runtime/environment.js'
import { managerKey, managerResources } from './desired-manager.js'
import { GRANTS_VARIABLE, grantKeys } from './grants.js'
import { lambdaLimits, requireWithinLimits } from './limits.js'
import { managedRoles } from './managed-roles.js'
import { possibleTasks } from './may-share.js'
import { type Needs, needsOf, startedOf } from './needs.js'
import type {
  Code,
  Desired,
  FunctionResource,
  Resource,
  RoleResource,
  ScheduleResource,
  UrlResource,
} from './resources.js'
import { functionRole, grantsOfSetup, sweepRole } from './roles.js'
import { arnOf, type DeployOptions, roleArn, type Settings, settingsOf } from './settings.js'
import { ignoredOf, storedOf } from './setup-options.js'

/** S that a function keeps beyond the limits of its tasks, to say that they took too long. */
const MARGIN_S = 2
/** How long Lambda keeps an event that it cannot run, s: the longest it allows. */
const EVENT_AGE_S = 6 * 3600
/** How long a dead letter is kept, s: the longest that SQS allows. */
const DEAD_LETTER_S = 14 * 24 * 3600
/** Days for which S3 keeps large payloads: a dead letter may still name one. */
const PAYLOAD_DAYS = 15
/**
 * Days for which S3 keeps objects of buckets, most of which are removed long before: a session's record lives for 30 days, and what its end
 * delivers may be a dead letter for 14 more.
 */
const OBJECT_DAYS = 46
/** Of a queue's visibility time-out, time-outs of the function that takes its messages ("Creating and configuring an Amazon SQS event source mapping", AWS Lambda Developer Guide). */
const TIMEOUTS_VISIBLE = 6
/** S that a function of an app with buckets has at least: what the table is given to take a change. */
const COMMIT_S = COMMIT_MS / 1000
/** Days for which S3 keeps what a manager has seen, should it not run any more. */
const EVIDENCE_DAYS = 30
const SWEEP_EVERY = 'rate(5 minutes)'

/**
 * What should be there once this build is deployed.
 * @param code of each function's zip, by function
 * @throws {FusionizeError} `INVALID_CONFIG` or `DEPLOY_FAILED` for what Lambda or IAM would refuse
 */
export function desiredResources(build: Build, code: Record<string, Code>, options: DeployOptions): Desired {
  const settings = settingsOf(build.app.name, options)
  requireKnown(build.app, settings)
  const functions = Object.keys(build.artifacts).sort()
  const needs = needsOf(build.app, withoutFusedBuckets(build.setup), functions)
  const holdsWork = (fn: string) => settings.afterReply === 'extension' && isSwept(needs.get(fn))
  const hasBuckets = Object.keys(build.app.buckets ?? {}).length > 0
  // An entry: it is in every setup.
  const taker = hasBuckets ? entryTasks(build.app).find((fn) => functions.includes(fn)) : undefined
  const setup = setupId(build.setup)
  const roles = settings.managed
    ? managedRoles(build.app, settings, settings.managed.constraints ?? {}, taker)
    : new Map(
        functions.map((fn) => {
          const part = { holdsWork: holdsWork(fn), takesTimes: fn === taker }
          return [fn, functionRole(build.app, settings, fn, needs.get(fn) as Needs, part)]
        }),
      )
  const make = (deployed: string) =>
    functions.map((fn) => {
      const afterReply = holdsWork(fn) ? 'extension' : 'before-reply'
      const identity = { setup, deployed, afterReply } as const
      const role = roles.get(fn) as RoleResource
      return functionResource(build, settings, role, fn, needs.get(fn) as Needs, code[fn] as Code, identity)
    })
  const swept = hasBuckets ? functions : functions.filter(holdsWork)
  /** What a function may take in this setup, or in any that a manager may deploy, s. */
  const longestOf = ({ function: fn, timeoutS }: FunctionResource) => {
    if (!settings.managed) return timeoutS
    const inside = possibleTasks(build.app, settings.managed.constraints ?? {}, fn)
    return timeoutSeconds(build.app, inside, inside, fn, settings.timeoutMs)
  }
  const { [managerKey]: managerCode } = code
  const deployed = `${setup}-${digest(make('')).slice(0, 8)}`
  const all = make(deployed)
  requireWithinLimits(build.app, all)
  const resources: Resource[] = [
    ...sharedResources(
      settings,
      all.find((one) => one.function === taker),
      longestOf,
    ),
    ...roles.values(),
    // What a manager deploys has its role and its log already.
    ...[...roles.keys()].map((fn) => ({
      kind: 'log-group' as const,
      name: logGroup(settings.prefix, fn),
      retentionDays: settings.retentionDays,
    })),
    ...all,
    ...all.flatMap((one) => aliasesOf(settings, one, build.app.tasks[one.function], deployed)),
    // Sessions are looked after by the function that saw them first.
    ...sweepResources(settings, swept, [...roles.keys()], deployed),
    ...(settings.managed && managerCode ? managerResources(build.app, settings, managerCode) : []),
  ]
  return { setup, deployed, settings, resources, ignored: ignoredOf(build.app, build.setup, functions) }
}

/** A function that this setup lacks may be in another; one that no task has the name of is a mistake. */
function requireKnown({ tasks }: App, { concurrency }: Settings): void {
  const names = Object.keys(tasks)
  const unknown = Object.keys(concurrency).find((fn) => !names.includes(fn))
  if (unknown === undefined) return
  throw new FusionizeError(
    'INVALID_CONFIG',
    `aws.concurrency names '${unknown}', but there is no such task${suggest(unknown, names)}; tasks are ${names.join(', ')}`,
  )
}

/** Whether work of a function may outlive the invocation that accepted it. */
function isSwept(needs: Needs | undefined): boolean {
  return needs?.isCalled === true && needs.leavesWork
}

/** @param taker function that the queue of times comes to, in an app with buckets; and what such a function may take, s */
function sharedResources(
  settings: Settings,
  taker: FunctionResource | undefined,
  longestOf: (one: FunctionResource) => number,
): Resource[] {
  const { account, prefix, region } = settings
  return [
    {
      kind: 'bucket',
      name: bucketName(prefix, account, region),
      expiry: [
        // Lambda has its own copy by then.
        { prefix: 'code/', days: 1 },
        ...(settings.managed ? [{ prefix: 'manager/', days: EVIDENCE_DAYS }] : []),
        ...(taker ? [{ prefix: 'objects/', days: OBJECT_DAYS }] : []),
        { prefix: 'payloads/', days: PAYLOAD_DAYS },
      ],
    },
    { kind: 'table', name: tableName(prefix), partitionKey: 'pk', sortKey: 'sk', expires: 'expires' },
    { kind: 'queue', name: deadLetterQueue(prefix), keeps: 'dead letters', retentionS: DEAD_LETTER_S },
    ...(taker ? timeResources(settings, taker, longestOf(taker)) : []),
  ]
}

function timeResources(settings: Settings, { name }: FunctionResource, timeoutS: number): Resource[] {
  const queue = timeQueue(settings.prefix)
  return [
    { kind: 'queue', name: queue, keeps: 'times', retentionS: DEAD_LETTER_S, visibilityS: TIMEOUTS_VISIBLE * timeoutS },
    {
      ...{ kind: 'mapping', functionName: name, qualifier: liveAlias, queue },
      queueArn: arnOf(settings, 'sqs', queue),
    },
  ]
}

function functionResource(
  { app, env, setup }: Build,
  settings: Settings,
  role: RoleResource,
  fn: string,
  needs: Needs,
  code: Code,
  identity: Pick<Environment, 'setup' | 'deployed' | 'afterReply'>,
): FunctionResource {
  const { account, prefix, region, retryMs, sampleCpuEvery, sweepMs, timeoutMs } = settings
  const memoryMb = setup.functions[fn]?.memory ?? lambdaLimits.memoryMb.min
  const http = app.tasks[fn]?.http
  const stored = storedOf(setup, fn)
  const retries = needs.tasks.flatMap((task) => {
    const { retries } = app.tasks[task] ?? {}
    return retries === undefined ? [] : [[task, retries] as const]
  })
  const environment: Environment = {
    function: fn,
    ...(retries.length > 0 && { retries: Object.fromEntries(retries) }),
    ...(app.buckets && { buckets: Object.keys(app.buckets).sort() }),
    ...identity,
    prefix,
    memory: memoryMb,
    timeoutMs,
    // Also what only another setup has: a time may be told for a session of that.
    functions: Object.fromEntries(
      [...new Set([...needs.callees, ...startedOf(app)])]
        .sort()
        .map((callee) => [callee, functionName(prefix, callee)]),
    ),
    ...(stored.length > 0 && { store: stored }),
    ...(Object.keys(needs.ahead).length > 0 && { ahead: needs.ahead }),
    ...(http && { http: [{ ...http, task: fn }] }),
    ...(http && isStreaming(settings) && { streaming: true }),
    bucket: bucketName(prefix, account, region),
    table: tableName(prefix),
    deadLetters: queueUrl(settings, deadLetterQueue(prefix)),
    ...(needs.usesBuckets && { times: queueUrl(settings, timeQueue(prefix)) }),
    sampleCpuEvery,
    ...(retryMs !== undefined && { retryMs }),
    ...(needs.usesBuckets && sweepMs !== undefined && { sweepMs }),
  }
  // a task may be called `constructor`
  const concurrency = Object.hasOwn(settings.concurrency, fn) ? settings.concurrency[fn] : undefined
  return {
    kind: 'function',
    name: functionName(prefix, fn),
    function: fn,
    tasks: needs.tasks,
    role: role.name,
    runtime: settings.runtime,
    architecture: settings.architecture,
    memoryMb,
    timeoutS: timeoutSeconds(app, setup.functions[fn]?.inline.send ?? [], needs.tasks, fn, timeoutMs),
    handler: 'index.handler',
    environment: {
      ...(settings.sourceMaps && { NODE_OPTIONS: '--enable-source-maps' }),
      ...env,
      [ENVIRONMENT_VARIABLE]: JSON.stringify(environment),
      [GRANTS_VARIABLE]: grantKeys(grantsOfSetup(role)),
    },
    code,
    ...(concurrency !== undefined && { concurrency }),
  }
}

/** The function's own task, and after it whatever it may be left with: one send after the other, each with its limit. */
function timeoutSeconds(
  { buckets, tasks }: App,
  sends: readonly string[],
  inside: readonly string[],
  fn: string,
  timeoutMs: number,
): number {
  const limit = (task: string) => tasks[task]?.timeoutMs ?? timeoutMs
  const after = sends.filter((task) => inside.includes(task)).reduce((sum, task) => sum + limit(task), 0)
  const runS = Math.max(Math.ceil((limit(fn) + after) / 1000), buckets ? COMMIT_S : 0)
  return Math.min(lambdaLimits.timeoutS, runS + MARGIN_S)
}

function aliasesOf(
  settings: Settings,
  { name }: FunctionResource,
  task: TaskInfo | undefined,
  deployed: string,
): Resource[] {
  const onFailure = arnOf(settings, 'sqs', deadLetterQueue(settings.prefix))
  const { functionUrlAuth: auth } = settings
  const mode: UrlResource['mode'] = isStreaming(settings) ? 'RESPONSE_STREAM' : 'BUFFERED'
  return [setupAlias(deployed), liveAlias].flatMap((alias): Resource[] => [
    { kind: 'alias', functionName: name, name: alias },
    {
      kind: 'async',
      functionName: name,
      qualifier: alias,
      retries: task?.retries ?? lambdaLimits.retries,
      maxAgeS: EVENT_AGE_S,
      onFailure,
    },
    ...(alias === liveAlias && task?.http && auth !== 'off'
      ? [{ kind: 'url' as const, functionName: name, qualifier: alias, auth, mode }]
      : []),
  ])
}

/** Only addresses of our own stream: an API Gateway has answers whole. */
function isStreaming({ functionUrlAuth, streaming }: Settings): boolean {
  return streaming && functionUrlAuth !== 'off'
}

/** @param all functions with a role: what a manager deploys may have to be swept */
function sweepResources(
  settings: Settings,
  swept: readonly string[],
  all: readonly string[],
  deployed: string,
): Resource[] {
  const { prefix } = settings
  const allowed = settings.managed ? all : swept
  if (allowed.length === 0) return []
  const [group, role] = [sweepName(prefix), sweepRoleName(prefix)]
  const namesOf = (functions: readonly string[]) => functions.map((fn) => functionName(prefix, fn))
  const schedules = namesOf(swept).map(
    (name): ScheduleResource => ({
      kind: 'schedule',
      group,
      name: sweepScheduleName(deployed, name),
      expression: SWEEP_EVERY,
      functionName: name,
      qualifier: setupAlias(deployed),
      asks: 'for work that was left behind',
      role: roleArn(settings, role),
      input: '{"fusionize":"sweep"}',
    }),
  )
  return [{ kind: 'schedule-group', name: group }, sweepRole(settings, role, namesOf(allowed)), ...schedules]
}

/** Where SQS is asked for a queue ("Queue and message identifiers", Amazon SQS Developer Guide). */
function queueUrl({ account, region }: Settings, queue: string): string {
  return `https://sqs.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/${account}/${queue}`
}

/** Changes with the code or the configuration of any function. */
function digest(functions: readonly FunctionResource[]): string {
  const versions = functions.map(({ concurrency: _, ...version }) => version)
  return createHash('sha256').update(JSON.stringify(versions)).digest('hex')
}
