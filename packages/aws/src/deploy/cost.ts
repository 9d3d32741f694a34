import { awsLambdaArm, awsLambdaX86, type PriceModel, ratesOf } from 'fusionize/prices'
import { type App, entryTasks, type FusionSetup } from 'fusionize/setup'
import { type ServicePrices, servicePrices } from '../prices.js'
import { managerCost } from './manager-cost.js'
import { type Desired, ofKind } from './resources.js'
import { type UsageProfile, usageOf } from './usage.js'

/** One line of an estimate. */
export interface CostLine {
  service: string
  what: string
  quantity: number
  unit: string
  usd: number
}

/** What a month costs. */
export interface CostEstimate {
  requests: number
  totalUsd: number
  lines: CostLine[]
  /** By function of the app: invocations in the month, what one takes, and what they cost with compute and requests. */
  functions: { function: string; invocations: number; durationMs: number; gbSeconds: number; usd: number }[]
  /** What was taken for granted, in words. */
  assumed: string[]
  prices: { name: string; date: string; source: string }[]
}

export interface CostOptions {
  /** Requests in the month. @default 1000000 */
  requests?: number | undefined
  profile?: UsageProfile | undefined
  lambda?: PriceModel | undefined
  services?: ServicePrices | undefined
}

/** Share of invocations that start a sandbox, and what its INIT takes, ms (PAPERS §4: 159 ms with 1 kB of code, 184 ms with 1 MB). */
const COLD = { share: 0.01, initMs: 170 }
/** Bytes of logs of an invocation: Lambda's START, END and REPORT lines, and the record. */
const LOG_BYTES = 1200
/** Sweeps of a schedule in a month of 30 days, every 5 minutes, and what one takes, ms. */
const SWEEP = { perMonth: 30 * 24 * 12, ms: 50 }
/** Of the table, for an object put into a bucket: it, and what it fires ("Costs" in the decision on buckets on AWS); a session's own three are not counted. */
const PUT = { writes: 3 }
/** Requests by which Lambda asks an idle queue for messages in a month of 30 days: five at a time, of 20 s each. */
const POLLS = 5 * 3 * 60 * 24 * 30

/** What a month of a deployed setup costs, as far as source, profile and dated prices tell. */
export function estimateCost(app: App, setup: FusionSetup, desired: Desired, options: CostOptions = {}): CostEstimate {
  const { profile, requests = 1_000_000, services = servicePrices } = options
  const functions = ofKind(desired, 'function')
  const lambda = options.lambda ?? (desired.settings.architecture === 'arm64' ? awsLambdaArm : awsLambdaX86)
  const names = functions.map((one) => one.function)
  const entries = entryTasks(app).filter((task) => names.includes(task))
  const usage = usageOf(app, setup, names, entries, profile)
  const rates = ratesOf(lambda)
  const manager = managerCost(desired, rates, services)
  const schedules = ofKind(desired, 'schedule').filter(({ qualifier }) => qualifier !== undefined)
  const byFunction = functions.map(({ function: fn, memoryMb, name }) => {
    const sweeps = schedules.filter(({ functionName }) => functionName === name).length * SWEEP.perMonth
    const invocations = requests * (usage.invocations[fn] ?? 0)
    const durationMs = Math.ceil(usage.durationMs[fn] ?? 0)
    const ms = invocations * (durationMs + (rates.billsInit ? COLD.share * COLD.initMs : 0)) + sweeps * SWEEP.ms
    const gbSeconds = (ms / 1000) * (memoryMb / 1024)
    const usd = gbSeconds * rates.perGbSecond + (invocations + sweeps) * rates.perRequest
    return { function: fn, invocations: invocations + sweeps, durationMs, gbSeconds, usd }
  })
  const sum = (of: (one: (typeof byFunction)[number]) => number) =>
    byFunction.reduce((total, one) => total + of(one), 0)
  const [invocations, gbSeconds] = [sum((one) => one.invocations), sum((one) => one.gbSeconds)]
  const held = schedules.reduce((total, { functionName }) => {
    const fn = functions.find(({ name }) => name === functionName)?.function ?? ''
    return total + requests * (usage.invocations[fn] ?? 0) * (usage.inlineSends[fn] ?? 0)
  }, 0)
  const sweeps = schedules.length * SWEEP.perMonth
  const puts = requests * usage.puts
  const polls = ofKind(desired, 'mapping').length * POLLS
  const [writes, reads] = [2 * held + PUT.writes * puts, sweeps]
  const logGb = (invocations * LOG_BYTES) / 1e9
  const keptGb = (logGb * desired.settings.retentionDays) / 30
  const lines: CostLine[] = [
    { service: 'Lambda', what: 'compute', quantity: gbSeconds, unit: 'GB-s', usd: gbSeconds * rates.perGbSecond },
    {
      service: 'Lambda',
      what: 'requests',
      quantity: invocations,
      unit: 'invocations',
      usd: invocations * rates.perRequest,
    },
    { service: 'CloudWatch Logs', what: 'ingestion', quantity: logGb, unit: 'GB', usd: logGb * services.logsPerGb },
    {
      ...{ service: 'CloudWatch Logs', what: `kept for ${desired.settings.retentionDays} days` },
      ...{ quantity: keptGb, unit: 'GB-months', usd: keptGb * services.logsKeptPerGbMonth },
    },
    { service: 'DynamoDB', what: 'writes', quantity: writes, unit: 'units', usd: writes * services.tableWrite },
    { service: 'DynamoDB', what: 'reads', quantity: reads, unit: 'units', usd: reads * services.tableRead },
    { service: 'S3', what: 'large payloads', quantity: 0, unit: 'puts and gets', usd: 0 },
    { service: 'SQS', what: 'dead letters', quantity: 0, unit: 'messages', usd: 0 },
    { service: 'SQS', what: 'asking for times', quantity: polls, unit: 'requests', usd: polls * services.queueRequest },
    {
      service: 'EventBridge Scheduler',
      what: 'sweeps',
      quantity: sweeps,
      unit: 'invocations',
      usd: sweeps * services.schedule,
    },
    ...(manager?.lines ?? []),
  ]
  return {
    requests,
    totalUsd: lines.reduce((total, { usd }) => total + usd, 0),
    lines,
    functions: byFunction,
    assumed: [
      ...usage.assumed,
      `${COLD.share * 100}% of invocations start a sandbox, which takes ${COLD.initMs} ms`,
      `an invocation writes ${LOG_BYTES} bytes of logs; payloads are within Lambda's limits; nothing fails`,
      ...(puts > 0 ? [`an object in a bucket takes ${PUT.writes} writes of the table, with what it fires`] : []),
      ...(polls > 0
        ? [
            'Lambda asks the queue of times five times at once, 20 s each; how many times triggers wait for is not known',
          ]
        : []),
      ...(manager?.assumed ?? []),
      'without free tiers, taxes, data transfer out, and what the tasks themselves use; first price tier',
    ],
    prices: [
      { name: lambda.name, date: lambda.date, source: lambda.source },
      { name: services.name, date: services.date, source: services.source },
    ],
  }
}
