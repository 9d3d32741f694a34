import {
  type App,
  allFusedSetup,
  effectiveSetup,
  type FusionSetup,
  type Mode,
  setupsEqual,
  type TaskName,
} from 'fusionize/setup'
import type { Reason, Round, StrategyContext } from '../../types.js'
import { type Call, callsOf, fuse, mayBeInline } from '../fuse.js'
import { atMemory, moveIntoBounds } from '../memory.js'
import type { Evidence } from './evidence.js'
import { chooseApart, without } from './local-search.js'
import { type Outlook, outlooks } from './outlook.js'
import { bestSizes, coarseLadder } from './sizes.js'

/** Calls of a recursive edge per request up to which it is inlined: deeper ones may not end in one sandbox. */
const MAX_RECURSION = 100

/**
 * The final path setup from one profile. A host is an entry, or a task that is reached remotely; each host inlines the transitive closure
 * of its synchronous calls (where Fusionize's path optimisation ends after one step per edge), and its sends. Sends to a task, or
 * calls that run beside others, stay remote where the goal is predicted to be served better so, each at its best sizes. A send through a
 * bucket is inline where the host evaluates the bucket itself, and that only where something in it is then inline.
 * @param memory MB of every function in the setup returned
 */
export function pathSetup(
  context: StrategyContext,
  evidence: Evidence,
  start: Round,
  memory: (fn: TaskName) => number,
): { setup: FusionSetup; reasons: Reason[] } {
  const { app, constraints, facts } = context
  const outlook = outlooks(context, evidence, start)
  const sizes = coarseLadder(context)
  const calls = Object.keys(app.tasks).flatMap((task) => callsOf(app, task))
  /** Why a target is reached remotely, and what was found of those that are not. */
  const remote = new Map<string, string>()
  const found = new Map<string, string>()
  const build = (apart: ReadonlySet<string>) => {
    const wanted = (call: Call) => !remote.has(targetOf(call)) && !apart.has(targetOf(call))
    const fused = fuse(app, constraints, facts.memoryLadder, memory, wanted)
    return { ...fused, setup: moveIntoBounds(app, constraints, facts.memoryLadder, fused.setup) }
  }
  const atBest = (apart: ReadonlySet<string>): Outlook => {
    const { setup } = build(apart)
    return outlook(facts.cpuShareEnforced ? bestSizes(context, evidence, [setup], outlook, sizes) : setup)
  }
  const targets = new Map<string, Call[]>()
  for (const call of calls)
    if (mayBeInline(app, call)) targets.set(targetOf(call), [...(targets.get(targetOf(call)) ?? []), call])
  for (const [target, group] of targets) {
    const forced = staysRemote(app, evidence, group)
    if (forced !== undefined) remote.set(target, forced)
  }
  const candidates = [...targets].flatMap(([target, group]) =>
    !remote.has(target) && group.some((call) => isCandidate(evidence, call)) ? [target] : [],
  )
  const { chosen, looks } = chooseApart(candidates, atBest)
  for (const target of candidates) {
    const [inline, apart] = [looks(without(chosen, target)), looks(new Set([...chosen, target]))]
    const both = apart.score === inline.score ? '' : compared(context, inline, apart)
    if (chosen.has(target)) remote.set(target, `better apart: ${both}`)
    else found.set(target, both && `; ${both}`)
  }
  const { setup, refused } = build(chosen)
  const reasons = calls.map((call): Reason => {
    const apart = unfusible(app, call) ?? remote.get(targetOf(call)) ?? refusal(refused, call)
    const words = `${call.from} ${verb[call.mode]} ${call.to}${call.bucket === undefined ? '' : ` through bucket ${call.bucket}`}`
    return apart === undefined
      ? { change: `${words} inline`, why: `${saving(evidence, call)}${found.get(targetOf(call)) ?? ''}` }
      : { change: `${words} remotely`, why: apart }
  })
  return { setup, reasons: [...reasons, ...equality(app, setup)] }
}

const verb: Record<Mode, string> = { call: 'calls', send: 'sends to', map: 'maps over' }
/** A function routes by callee and mode, whoever calls: what is decided together. */
const targetOf = ({ to, mode }: Call) => `${mode} ${to}`

function unfusible(app: App, call: Call): string | undefined {
  return mayBeInline(app, call)
    ? undefined
    : `the platform evaluates bucket ${call.bucket}: one of its triggers needs the objects of all sessions, or a clock`
}

function staysRemote(app: App, evidence: Evidence, group: readonly Call[]): string | undefined {
  const calls = ({ from, to, mode, bucket }: Call) => evidence.callsPerRun(from, to, mode, bucket)
  if (group.every((call) => call.mode === 'send' && calls(call) === 0))
    return 'never seen under this load, so nothing is known to be gained'
  for (const call of group.filter(({ from, to }) => reaches(app, to, from))) {
    const runs = evidence.profile.tasks[call.from]?.runs ?? 0
    const perRequest = (calls(call) * runs) / Math.max(1, evidence.profile.requests)
    if (perRequest > 0 && perRequest <= MAX_RECURSION) continue
    const depth = perRequest === 0 ? 'that was not seen' : `of ${perRequest.toFixed(0)} calls per request`
    return `a recursion ${depth} could outgrow one sandbox`
  }
  return undefined
}

/** Sends; and synchronous calls that were seen to run beside others, which one core would run one after another. */
function isCandidate(evidence: Evidence, { from, to, mode }: Call): boolean {
  return mode === 'send' || evidence.group(from, to, mode) !== undefined
}

function saving(evidence: Evidence, { from, to, mode, bucket }: Call): string {
  const calls = evidence.callsPerRun(from, to, mode, bucket)
  if (calls === 0 && bucket !== undefined) return `bucket ${bucket} was not seen to start it under this load`
  if (calls === 0) return 'not seen under this load; inline, its caller would not be billed for waiting'
  const memory = evidence.sizes(from)[0] ?? 128
  const handOver = evidence.handOverMs(mode, memory)
  const perRun = `${digits(calls)} per run of ${from}`
  const saves =
    handOver > 0
      ? `saves ${digits(handOver)} ms hand-over (at ${memory} MB) and a request fee per ${noun[mode]}, ${perRun}`
      : perRun
  if (bucket !== undefined) return `bucket ${bucket} is evaluated inside: ${saves}; what it starts runs after the reply`
  return mode === 'send' ? `${saves}; it runs after the reply` : `${saves}; the caller is no longer billed for waiting`
}

const noun: Record<Mode, string> = { call: 'call', send: 'send', map: 'item' }

function compared({ facts }: StrategyContext, inline: Outlook, apart: Outlook): string {
  const figures = ({ p50Ms, costPerMillionUsd }: Outlook) =>
    `${digits(p50Ms)} ms${facts.cpuShareEnforced ? ` and $${digits(costPerMillionUsd)} per million` : ''}`
  return `predicted ${figures(inline)} inline, ${figures(apart)} remotely, each at its best sizes`
}

function refusal(refused: ReturnType<typeof fuse>['refused'], call: Call): string | undefined {
  const found = refused.find(
    ({ call: { from, to, mode, bucket } }) =>
      from === call.from && to === call.to && mode === call.mode && bucket === call.bucket,
  )
  return found && `constraint (in ${found.host}): ${found.why}`
}

function equality(app: App, setup: FusionSetup): Reason[] {
  const routes = (x: FusionSetup) => effectiveSetup(app, atMemory(x, 128))
  return setupsEqual(routes(setup), routes(allFusedSetup(app, 128)))
    ? [
        {
          change: 'one function runs everything',
          why: 'every call is better inline here, so the routes are those of all-fused; only the memory is left to choose',
        },
      ]
    : []
}

function reaches(app: App, from: TaskName, to: TaskName): boolean {
  const seen = new Set([from])
  for (const task of seen) {
    if (task === to) return true
    for (const edge of app.edges) if (edge.from === task) seen.add(edge.to)
  }
  return false
}

export function digits(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '–'
}
