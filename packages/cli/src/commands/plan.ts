import { frontOf, plannerOf, type RequestTrace, type Seen, type SeenPlan, type SeenPlanner } from '@fusionize/planner'
import { type App, type FusionSetup, printSetup, setupId } from 'fusionize/setup'
import pc from 'picocolors'
import { adoptSetup } from '../app/current-setup.js'
import { digits } from '../report/format.js'
import { boundsText, goalText } from '../report/goal-text.js'
import { numberFlag } from '../terminal/check-args.js'
import { command } from '../terminal/command.js'
import { Failure } from '../terminal/failure.js'
import { createOutput } from '../terminal/output.js'
import { plural } from '../terminal/table.js'
import { UsageError } from '../terminal/usage-error.js'
import { filesOf, readAll } from '../traces/command.js'
import { type Architecture, architectures } from '../traces/facts.js'
import { goalArgs, goalOf } from './plan/goal.js'
import { ownSubject, type Subject, traceSubject } from './plan/subject.js'
import { nearestText, type PlannedSetup, plansTable, reasonsText } from './plan/text.js'

/** Traces that a plan is made from, at most; of more, the last. */
const MOST_TRACES = 5000
/** Traces of a setup that are enough to plan from. */
const ENOUGH = 30

export default command({
  help: {
    name: 'plan',
    description: 'Plan the setup that serves a goal best, from requests that were recorded, without deploying anything',
    examples: [
      ['plan --p95 300ms', 'the cheapest setup whose 95th percentile is within 300 ms'],
      ['plan --budget 12', 'the fastest that costs at most $12 per million requests'],
      ['plan', 'no goal: what latency costs what, and where more money begins to buy little'],
      ['plan spans.jsonl --p95 1s --memory 512', 'any application, from its OpenTelemetry or X-Ray traces'],
      ['plan --p95 300ms --adopt', "make it what 'fusionize dev' serves next"],
    ],
    json: '{ app, platform, requests, setups, goal, now: plan, plan?: { name, id, notation, setup, feasible, gap, figures: { p50Ms, p95Ms, p99Ms, costPerMillionUsd: { value, low, high, n }, cost, invocationsPerRequest }, reasons: [{ change, why }], assumed: [text] }, front?: [plan], knee?: index, notes: [text] }',
    rest: true,
  },
  args: {
    file: {
      type: 'positional',
      required: false,
      description: "Files with traces (default: the application's records)",
    },
    ...goalArgs,
    adopt: { type: 'boolean', default: false, description: "Make the plan what 'fusionize dev' serves next" },
    memory: { type: 'string', valueHint: 'MB', description: 'Memory of functions whose traces do not tell it' },
    arch: { type: 'enum', options: [...architectures], default: 'x86', description: 'Prices of AWS Lambda for traces' },
    'open-spans': {
      type: 'string',
      valueHint: 'n',
      default: '400000',
      description: 'Spans of unfinished traces kept in memory',
    },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const goal = goalOf(args)
    if (args.adopt && !goal)
      throw new UsageError('--adopt needs a goal: --p95 <ms>, --budget <USD> or --minimize', 'plan')
    const memoryMb = numberFlag('memory', args.memory, { min: 64, max: 1_000_000 })
    const options = { cwd: args.cwd, arch: args.arch as Architecture, ...(memoryMb !== undefined && { memoryMb }) }
    const files = filesOf('plan', args._)
    const subject = files.length > 0 ? await fromFiles(files, args, out, options) : await ownSubject(options)
    if (args.adopt && !subject.loaded)
      throw new UsageError('--adopt needs the application of the traces; give its folder with --cwd', 'plan')
    for (const note of subject.notes) out.warn(note)
    const anchor = anchorOf(subject.seen)
    const planner = plannerOf(subject, subject.seen, anchor)
    const said = sayer(subject.app, planner)
    const now = said('now', anchor.setup)
    const document = {
      app: subject.app.name,
      platform: subject.platform,
      requests: anchor.traces.length,
      setups: subject.seen.length,
      goal: goal ?? null,
      notes: subject.notes,
      now,
    }
    const head = `${pc.bold(subject.app.name)}  from ${plural(anchor.traces.length, 'request')} to one setup${subject.seen.length > 1 ? `, and times from ${subject.seen.length - 1} more` : ''}; ${subject.platform}`
    const width = process.stdout.columns ?? 120
    if (!goal) {
      const { points, knee } = frontOf(planner, 'p95')
      const plans = points.map((point, i) => said(i === knee ? '★' : String(i + 1), point.setup, point))
      out.result({ ...document, front: plans, knee }, () =>
        [head, '', plansTable([now, ...plans], width), '', `★ the knee: beyond it, money buys less latency.`].join(
          '\n',
        ),
      )
      return
    }
    const found = planner.plan(goal)
    const plan = said('plan', found.setup, found)
    if (!found.feasible) throw infeasible(goal, found, planner, plan)
    if (args.adopt && subject.loaded) await adoptSetup(subject.loaded, subject.app, found.setup)
    out.result({ ...document, plan }, () =>
      [
        `${head}; ${goalText(goal)}`,
        '',
        plansTable([now, plan], width),
        '',
        pc.bold(plan.notation),
        ...reasonsText(found),
        ...plan.assumed.map((text) => pc.dim(`  ${text}`)),
      ].join('\n'),
    )
    if (args.adopt) out.note("Adopted: what 'fusionize dev' serves next.")
    out.note('Latencies are without the way to the client, which traces do not tell.')
  },
})

async function fromFiles(
  files: readonly string[],
  args: { 'open-spans'?: string },
  out: ReturnType<typeof createOutput>,
  options: Parameters<typeof traceSubject>[1],
): Promise<Subject> {
  const traces: RequestTrace[] = []
  await readAll(files, args, out, (trace) => {
    traces.push(trace)
    if (traces.length >= 2 * MOST_TRACES) traces.splice(0, MOST_TRACES)
  })
  return traceSubject(
    traces.slice(-MOST_TRACES).sort((a, b) => a.arrivalMs - b.arrivalMs),
    options,
  )
}

/** The setup that served last, if it served enough; else the one that served most. */
function anchorOf(seen: readonly Seen[]): Seen {
  const last = ({ traces }: Seen) => traces.at(-1)?.arrivalMs ?? 0
  const enough = seen.filter(({ traces }) => traces.length >= ENOUGH)
  return (enough.length > 0 ? enough : seen).reduce((a, b) => (last(b) > last(a) ? b : a))
}

/** What is said of a setup. */
function sayer(app: App, { outlook }: SeenPlanner) {
  return (
    name: string,
    setup: FusionSetup,
    plan?: SeenPlan,
  ): PlannedSetup & Record<string, unknown> & { assumed: string[] } => {
    const { p50Ms, p95Ms, p99Ms, costPerMillionUsd, cost, invocationsPerRequest, reasons } = outlook.estimate(setup)
    return {
      name,
      id: setupId(setup),
      notation: printSetup(setup, app),
      setup,
      figures: { p50Ms, p95Ms, p99Ms, costPerMillionUsd, cost, invocationsPerRequest },
      assumed: reasons,
      ...(plan && { feasible: plan.feasible, gap: plan.gap ?? null, reasons: plan.reasons }),
    }
  }
}

/** No setup keeps the bounds: which is the nearest, and what each bound alone could be. */
function infeasible(
  goal: NonNullable<ReturnType<typeof goalOf>>,
  found: SeenPlan,
  planner: SeenPlanner,
  plan: PlannedSetup,
): Failure {
  const bounds = goal.subjectTo ?? {}
  const keys = ['p50Ms', 'p95Ms', 'p99Ms', 'costPerMillionUsd'] as const
  const least = keys
    .filter((key) => bounds[key] !== undefined)
    .map((key) => {
      const minimize = key === 'costPerMillionUsd' ? 'cost' : (key.slice(0, 3) as 'p50' | 'p95' | 'p99')
      return { key, value: planner.plan({ minimize }).figures[key] }
    })
  const words = least.map(({ key, value }) =>
    key === 'costPerMillionUsd'
      ? `--budget ${digits(value * 1.005)}`
      : `--${key.slice(0, 3)} ${digits(value * 1.005)}ms`,
  )
  const message = [
    `no setup that was found keeps ${boundsText(bounds)}`,
    `the nearest: ${plan.notation}`,
    `it reaches ${nearestText(found.figures)}`,
    `${words.length > 1 ? 'each bound alone could be' : 'the bound could be'} ${words.join(' or ')}`,
  ].join('\n  ')
  return new Failure(message, {
    code: 'INFEASIBLE',
    message: `no setup that was found keeps ${boundsText(bounds)}`,
    goal,
    nearest: plan,
    least: Object.fromEntries(least.map(({ key, value }) => [key, value])),
  })
}
