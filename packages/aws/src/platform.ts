import { setTimeout as pause } from 'node:timers/promises'
import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { GetQueueUrlCommand } from '@aws-sdk/client-sqs'
import type { InvokeResult, Platform, PlatformStatus } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { parseRecord } from 'fusionize/record'
import { errorToWire } from 'fusionize/runtime'
import { bucketStatus } from './bucket-status.js'
import { BucketTable } from './bucket-table.js'
import { BucketWork } from './bucket-work.js'
import { deadLetterQueue } from './dead-letters.js'
import { type Clients, closeClients } from './deploy/clients.js'
import { type DeployRun, deploySetup } from './deploy/deploy-setup.js'
import { type DeployOptions, settingsOf } from './deploy/settings.js'
import { servedSetups, shiftTraffic } from './deploy/traffic.js'
import { type Deployed, readDeployed } from './deployed.js'
import { Drain } from './drain.js'
import { factsOf, LONGEST_MS } from './facts.js'
import { flushBuckets } from './flush.js'
import { invokeFunction, newId, sendToFunction } from './invoke.js'
import { bucketName, deadLetterQueue as deadLetterName, functionName, liveAlias, logGroup, tableName } from './names.js'
import { readRecords } from './records/read.js'
import { versionsOf } from './records/versions.js'
import type { Envelope } from './runtime/envelope.js'
import type { Callee } from './runtime/lambda.js'
import { open } from './runtime/seal.js'
import { s3Store } from './s3-store.js'

export interface AwsPlatformOptions extends DeployOptions {
  /** The application's name. */
  app: string
  clients: Clients
  /** How deployments are carried out. */
  run?: DeployRun
}

/** The port, and what of AWS goes beyond it. */
export interface AwsPlatform extends Platform {
  /** Fires what waits in queues of the application that say `flush`: no more objects come. @returns how many firings, when they are kept */
  flush(): Promise<number>
}

const DEFAULT_RETRIES = 2
/** Ms between two looks at whether all is over: CloudWatch has a line some seconds after it was written. */
const LOOK_MS = { first: 50, last: 2000 }
/** Ms without any news after which what has no record never gets one. */
const LOST_MS = LONGEST_MS + 5 * 60_000
const nothing: ReadonlyMap<string, number> = new Map()

/**
 * AWS Lambda as a platform: one Lambda function per function of the setup. Needs credentials that the SDK finds.
 * @throws {FusionizeError} `INVALID_CONFIG` for options that AWS would refuse
 */
export function createAwsPlatform(options: AwsPlatformOptions): AwsPlatform {
  const { clients, app, run } = options
  const settings = settingsOf(app, options)
  const { account, prefix, region, timeoutMs } = settings
  const { lambda, logs, sqs } = clients
  const store = s3Store(clients.s3, bucketName(prefix, account, region))
  const source = { logs, app, versions: versionsOf(lambda, prefix) }
  const table = new BucketTable(clients.dynamodb, tableName(prefix))
  const work = new BucketWork(table)
  let deployed: Deployed | undefined
  const drain = new Drain((task) => deployed?.retries.get(task) ?? DEFAULT_RETRIES)
  let drainedTo: string | undefined
  let queueUrl: string | undefined

  const calleeOf = (fn: string, qualifier = liveAlias): Callee => ({
    name: functionName(prefix, fn),
    qualifier,
    function: fn,
  })

  async function logGroups(): Promise<string[]> {
    const names: string[] = []
    let nextToken: string | undefined
    do {
      const command = new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroup(prefix, ''), nextToken })
      const page = await logs.send(command)
      names.push(...(page.logGroups ?? []).flatMap(({ logGroupName }) => logGroupName ?? []))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    return names
  }

  async function letters() {
    queueUrl ??= (await sqs.send(new GetQueueUrlCommand({ QueueName: deadLetterName(prefix) }))).QueueUrl
    return deadLetterQueue(sqs, queueUrl as string, (sealed) => open(sealed, store, Date.now() + timeoutMs))
  }

  /**
   * Everything that was asked for here, and all that this caused, has its record; in an app with buckets, no session is open besides, no
   * firing on its way, and no record came since that was so.
   */
  async function drained(): Promise<void> {
    deployed = await readDeployed(lambda, prefix)
    const hasBuckets = deployed.buckets.length > 0
    let lookMs = LOOK_MS.first
    let news = Date.now()
    let tableBefore = ''
    let wasOver = false
    let hadWork = false
    for (;;) {
      const page = await readRecords(source, await logGroups(), drainedTo, Date.now())
      drainedTo = page.next
      for (const id of page.fired) drain.fired(id)
      for (const line of page.lines) drain.saw(parseRecord(line))
      const underWay = hasBuckets ? await work.look(deployed) : nothing
      const isOver = drain.open.size === 0 && underWay.size === 0
      if (isOver && (!hasBuckets || (wasOver && page.lines.length === 0))) return
      wasOver = isOver
      if (isOver) {
        // A session that ended a moment ago may have fired, and CloudWatch not say so yet.
        await pause(hadWork ? LOOK_MS.last : LOOK_MS.first)
        continue
      }
      hadWork ||= underWay.size > 0
      const now = [...underWay].join()
      if (page.lines.length > 0 || now !== tableBefore) {
        news = Date.now()
        lookMs = LOOK_MS.first
      }
      tableBefore = now
      if (Date.now() - news > LOST_MS)
        throw new FusionizeError(
          'TIMEOUT',
          `${[`${drain.open.size} invocations have no record`, ...underWay.keys()].join(', ')} after ${LOST_MS / 60_000} minutes; see the logs of the functions, and 'fusionize dlq'`,
        )
      // A sandbox that ended at work wrote no record; its last attempt is a dead letter.
      if (lookMs === LOOK_MS.last) for (const { id } of await (await letters()).list()) drain.forget(id)
      await pause(lookMs)
      lookMs = Math.min(LOOK_MS.last, lookMs * 2)
    }
  }

  return {
    name: 'aws',

    facts: () => factsOf(settings),

    async deploy(build, { forceCold = false } = {}) {
      if (forceCold)
        throw new FusionizeError(
          'UNSUPPORTED',
          'platform aws cannot force cold starts; use the load profile steady or burst',
        )
      const { setup, changed } = await deploySetup(build, settings, clients, run)
      return { setup, changed }
    },

    traffic: (weights) => shiftTraffic(prefix, weights, clients),

    async invoke(task, input, { session = newId(), timeoutMs: limitMs = LONGEST_MS, traceparent, signal } = {}) {
      const [, trace = newId(), parent = null] = traceparent?.split('-') ?? []
      const request = { id: newId(), session, task, input, trace, parent }
      drain.expect(request.id)
      try {
        const answer = await invokeFunction(lambda, calleeOf(task), request, store, limitMs, signal)
        // A run that took too long may still be under way, and frozen: its record comes late or never.
        if (!answer.ok && answer.error.code === 'TIMEOUT') drain.forget(request.id)
        if (!answer.ok) return { ok: false, error: answer.error, session }
        return { ok: true, output: await open(answer.output, store, Date.now() + timeoutMs), session }
      } catch (error) {
        drain.forget(request.id)
        return refused(error, session)
      }
    },

    async send(task, input, { session = newId(), id = newId() } = {}) {
      await sendToFunction(lambda, calleeOf(task), { id, session, task, input, trace: newId(), parent: null }, store)
      drain.expect(id)
      return { id, session }
    },

    records: async (since) => readRecords(source, await logGroups(), since, Date.now()),

    deadLetters: async () =>
      (await (await letters()).list()).map(({ envelope: _, functionName: __, ...letter }) => letter),

    async replay(ids) {
      return (await letters()).replay(ids, async ({ envelope, functionName: name, task }) => {
        const again: Envelope = { ...envelope, attempt: 1, at: Date.now(), replayed: true }
        await sendToFunction(lambda, { name, qualifier: liveAlias, function: task }, again, store)
        drain.expect(envelope.id)
      })
    },

    async status(): Promise<PlatformStatus> {
      const setups = await servedSetups(prefix, clients)
      const dead = (await (await letters()).list()).length
      const about = await readDeployed(lambda, prefix)
      return {
        platform: 'aws',
        setups: setups.map(({ id, weight }) => ({ id, weight, sessions: null })),
        functions: [],
        sends: { pending: null, retrying: null, dead },
        ...(about.buckets.length > 0 && { buckets: await bucketStatus(table, about, Date.now()) }),
      }
    },

    flush: async () => flushBuckets(lambda, await readDeployed(lambda, prefix)),

    drained,

    async destroy() {
      closeClients(clients)
    },
  }
}

/** An error of the platform is an answer like a task's. */
function refused(error: unknown, session: string): InvokeResult {
  return { ok: false, error: errorToWire(error), session }
}
