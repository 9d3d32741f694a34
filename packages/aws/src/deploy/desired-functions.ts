import type { Build } from '@fusionize/platform'
import type { App, TaskInfo } from 'fusionize/setup'
import { bucketName, deadLetterQueue, functionName, liveAlias, setupAlias, tableName, timeQueue } from '../names.js'
import { COMMIT_MS } from '../runtime/buckets/ports.js'
import { ENVIRONMENT_VARIABLE, type Environment } from '../runtime/environment.js'
import { GRANTS_VARIABLE, grantKeys } from './grants.js'
import { lambdaLimits } from './limits.js'
import { type Needs, startedOf } from './needs.js'
import type { Code, FunctionResource, Resource, RoleResource, UrlResource } from './resources.js'
import { grantsOfSetup } from './roles.js'
import { arnOf, queueUrl, type Settings } from './settings.js'
import { storedOf } from './setup-options.js'

/** S that a function keeps beyond the limits of its tasks, to say that they took too long. */
const MARGIN_S = 2
/** How long Lambda keeps an event that it cannot run, s: the longest it allows. */
const EVENT_AGE_S = 6 * 3600
/** S that a function of an app with buckets has at least: what the table is given to take a change. */
const COMMIT_S = COMMIT_MS / 1000

/** A function in a setup, as Lambda has it. */
export function functionResource(
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
export function timeoutSeconds(
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

/** What a function is asked by: its aliases, and how each is asked. */
export function aliasesOf(
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
