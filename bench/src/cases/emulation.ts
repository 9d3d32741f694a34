import { setTimeout as sleep } from 'node:timers/promises'
import { type App, defaultSpec, type FusionSetup } from 'fusionize/setup'
import type { Bench, Setting } from '../harness.js'
import { builderOf } from '../lib/app.js'
import { watchCpu } from '../lib/cpu.js'
import { askOnce } from '../lib/peers.js'
import { median } from '../quantile.js'
import type { ReplayOrder, ReplayOutcome } from '../replay/replay.js'
import { type MeasuredSetup, readSetups } from '../replay/traces.js'

/** AWS p50 and cost that a replay must not miss by more. */
const TOLERANCE = 0.2
/** Of every setup's delays. */
const SEED = 1
/** Where every sandbox is made to start cold, requests came minutes apart; here, ms, and so many of them. */
const COLD_GAP_MS = 2500
const COLD_REQUESTS = 36
/** Between the first requests of setups that run at the same time, ms: they start most of their sandboxes then. */
const STAGGER_MS = 600
/** Requests of a setup with `--quick`. */
const QUICK_REQUESTS = 6

const setting: Setting = {
  role: 'ours',
  isolation: 'thread',
  transport: 'message-port, emulated delays',
  durability: 'none',
  records: 'on',
  wait: 'park',
}

const bench: Bench = {
  method:
    'the sample of every setup measured on AWS Lambda in 2023 again on the local platform with emulate aws-lambda: same setup, memory and arrivals ' +
    `(of the forced cold starts, which came minutes apart, ${COLD_REQUESTS} requests, one every ${COLD_GAP_MS / 1000} s); each task sleeps as long as its own measured time ` +
    '(its handler, less what it waited for in calls), so sandboxes are threads without CPU shares; each setup’s platform in a process of its own; delays from one dated file, ' +
    `seed ${SEED} for every setup; ms from the root handler’s start to its end, cost at 2023 prices (no INIT billing), both from our records, against the published sample`,
  unit: 'ms',
  moreIsInFindings: true,
  cases: (options) => Object.fromEntries(selected(options).map(({ id }) => [id, setting])),
  async run({ options, sample, more, finding, progress }) {
    const setups = selected(options)
    const builder = builderOf('replay')
    const app = await builder.scan()
    const rows: Row[] = []
    let busiest = 0
    for (const group of groupsOf(setups)) {
      progress(`replaying ${group.map(({ id }) => id).join(', ')}`)
      const busy = watchCpu()
      await Promise.all(
        group.map(async (setup, i) => {
          await sleep(i * STAGGER_MS)
          const build = await builder.build(setupOf(setup, app))
          const outcome = await askOnce<ReplayOutcome>('replay-setup', { build, ...orderOf(setup) })
          for (const ms of outcome.latencies) sample(setup.id, ms)
          const row = compare(setup, outcome)
          rows.push(row)
          more(setup.id, { ...row })
        }),
      )
      busiest = Math.max(busiest, busy())
    }
    for (const line of tableOf(rows)) finding(line)
    const missed = rows.filter((row) => !row.within)
    finding(
      `${rows.length - missed.length} of ${rows.length} setups within ${TOLERANCE * 100}% in p50 and in cost${missed.length > 0 ? `; not: ${missed.map((row) => row.setup).join(', ')}` : ''}`,
    )
    finding(
      `the machine was at most ${Math.round(busiest * 100)}% busy in a group of setups: what it makes requests wait is part of our figures`,
    )
  },
}
export default bench

function selected({ traces, only, quick }: Record<string, string>): MeasuredSetup[] {
  if (!traces) throw new Error('say where the traces are: --traces ../shared/data/fusionize-iot')
  const setups = readSetups(traces).filter(({ id }) => only === undefined || id.includes(only))
  if (setups.length === 0)
    throw new Error(`no setup with traces in ${traces}${only ? ` has '${only}' in its name` : ''}`)
  return setups.map((setup) => {
    const most = quick !== undefined ? QUICK_REQUESTS : setup.cold ? COLD_REQUESTS : setup.requests.length
    return { ...setup, requests: setup.requests.slice(0, most) }
  })
}

/** Which setups run at the same time: those alone that start many sandboxes at once, so that the machine adds little to the delays. */
function groupsOf(setups: readonly MeasuredSetup[]): MeasuredSetup[][] {
  const rate = ({ requests }: MeasuredSetup) => requests.length / ((requests.at(-1)?.startMs ?? 0) / 1000 + 1)
  const cold = setups.filter((setup) => setup.cold)
  const steep = setups.filter((setup) => !setup.cold && rate(setup) > 1)
  const steady = setups.filter((setup) => !setup.cold && rate(setup) <= 1)
  const groups = [steady, cold, ...steep.map((setup) => [setup])]
  return groups.filter((group) => group.length > 0)
}

function orderOf({ requests, cold }: MeasuredSetup): Omit<ReplayOrder, 'build'> {
  const dueMs = requests.map(({ startMs }, i) => (cold ? i * COLD_GAP_MS : startMs))
  const inputs = requests.map(({ own, awaited }) => JSON.stringify({ own, awaited }))
  return { dueMs, inputs, forceCold: cold, seed: SEED }
}

function setupOf(setup: MeasuredSetup, app: App): FusionSetup {
  const spec = (task: string) => {
    const { call = [], send = [] } = setup.inline[task] ?? {}
    return { ...defaultSpec(setup.memoryMb[task] ?? 128), inline: { call, send, map: [] } }
  }
  return { functions: Object.fromEntries(Object.keys(app.tasks).map((task) => [task, spec(task)])) }
}

interface Row {
  setup: string
  requests: number
  awsP50Ms: number
  p50Ms: number
  p50Error: number
  awsCostPerMillion: number
  costPerMillion: number
  costError: number
  awsColdShare: number
  coldShare: number
  within: boolean
}

function compare({ id, requests, aws }: MeasuredSetup, { latencies, costUsd, coldShare }: ReplayOutcome): Row {
  const p50Ms = median(latencies)
  const p50Error = p50Ms / aws.p50Ms - 1
  const costError = costUsd / aws.costUsd - 1
  return {
    setup: id,
    requests: requests.length,
    awsP50Ms: aws.p50Ms,
    p50Ms,
    p50Error,
    awsCostPerMillion: aws.costUsd * 1e6,
    costPerMillion: costUsd * 1e6,
    costError,
    awsColdShare: aws.coldShare,
    coldShare,
    within: Math.abs(p50Error) <= TOLERANCE && Math.abs(costError) <= TOLERANCE,
  }
}

function tableOf(rows: readonly Row[]): string[] {
  const percent = (share: number) => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}%`
  const head = ['setup', 'n', 'AWS p50', 'ours', 'error', 'AWS $/M', 'ours', 'error', 'AWS cold', 'ours', '≤ 20%']
  const body = [...rows]
    .sort((a, b) => (a.setup < b.setup ? -1 : 1))
    .map((row) => [
      row.setup,
      String(row.requests),
      row.awsP50Ms.toFixed(0),
      row.p50Ms.toFixed(0),
      percent(row.p50Error),
      row.awsCostPerMillion.toFixed(2),
      row.costPerMillion.toFixed(2),
      percent(row.costError),
      `${(100 * row.awsColdShare).toFixed(0)}%`,
      `${(100 * row.coldShare).toFixed(0)}%`,
      row.within ? 'yes' : 'NO',
    ])
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((line) => (line[i] as string).length)))
  return [head, ...body].map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  '),
  )
}
