import {
  type App,
  allFusedSetup,
  defaultSpec,
  effectiveSetup,
  type FusionSetup,
  type Mode,
  setupsEqual,
  type TaskName,
  validate,
} from 'fusionize/setup'
import type { Reason, StrategyContext } from '../../types.js'
import type { Evidence } from './evidence.js'

/** Calls of a recursive edge per request up to which it is inlined: deeper ones may not end in one sandbox. */
const MAX_RECURSION = 100

/**
 * The final path setup from one profile: a host is an entry, or a task that is sent to; each host inlines the transitive closure of
 * its synchronous calls (where Fusionize's path optimisation ends after one step per edge), and those sends that cost more to hand
 * over than to run after the reply.
 */
export function pathSetup(
  context: StrategyContext,
  evidence: Evidence,
  memory: (fn: TaskName) => number,
): { setup: FusionSetup; reasons: Reason[] } {
  const { app, constraints, facts } = context
  const reasons: Reason[] = []
  const setup: FusionSetup = { functions: {} }
  for (const task of Object.keys(app.tasks)) setup.functions[task] = defaultSpec(memory(task))
  const told = new Set<string>()
  const tell = (change: string, why: string) => {
    if (told.has(change)) return
    told.add(change)
    reasons.push({ change, why })
  }
  const broken = () =>
    validate(app, setup, constraints, facts).filter((violation) => violation.rule !== 'memory-ladder')
  for (const host of Object.keys(app.tasks)) {
    const visited = new Set<TaskName>()
    const visit = (from: TaskName) => {
      if (visited.has(from)) return
      visited.add(from)
      for (const edge of app.edges.filter((edge) => edge.from === from))
        for (const mode of edge.modes) {
          const decision = decide(context, evidence, from, edge.to, mode)
          const change = `${from} ${verb[mode]} ${edge.to} ${decision.inline ? 'inline' : 'remotely'}`
          if (!decision.inline) {
            tell(change, decision.why)
            continue
          }
          const before = broken().length
          const list = setup.functions[host]?.inline[mode] as TaskName[]
          const known = list.includes(edge.to)
          if (!known) list.push(edge.to)
          list.sort()
          const broke = broken()
          if (!known && broke.length > before && broke.some((violation) => violation.rule !== 'memory-bound')) {
            list.splice(list.indexOf(edge.to), 1)
            tell(`${from} ${verb[mode]} ${edge.to} remotely`, `your constraint: ${broke.at(-1)?.message}`)
            continue
          }
          tell(change, decision.why)
          visit(edge.to)
        }
    }
    visit(host)
  }
  if (setupsEqual(effectiveSetup(app, setup), effectiveSetup(app, sameMemory(allFusedSetup(app, 128), setup))))
    reasons.push({
      change: 'one function runs everything',
      why: 'every call is cheaper inline here: the routes are those of all-fused, found from the profile',
    })
  return { setup, reasons }
}

const verb: Record<Mode, string> = { call: 'calls', send: 'sends to', map: 'maps over' }

function sameMemory(setup: FusionSetup, like: FusionSetup): FusionSetup {
  const functions = Object.entries(setup.functions).map(([fn, spec]) => [
    fn,
    { ...spec, memory: like.functions[fn]?.memory ?? spec.memory },
  ])
  return { functions: Object.fromEntries(functions) }
}

interface Decision {
  inline: boolean
  why: string
}

function decide(context: StrategyContext, evidence: Evidence, from: TaskName, to: TaskName, mode: Mode): Decision {
  const calls = evidence.callsPerRun(from, to, mode)
  if (isRecursive(context.app, from, to)) {
    const perRequest = (calls * (evidence.profile.tasks[from]?.runs ?? 0)) / Math.max(1, evidence.profile.requests)
    if (calls === 0 || perRequest > MAX_RECURSION)
      return {
        inline: false,
        why: `a recursion ${calls === 0 ? 'that was not seen' : `of ${perRequest.toFixed(0)} calls per request`} could outgrow one sandbox`,
      }
  }
  return mode === 'send' ? decideSend(context, evidence, from, to, calls) : decideCall(evidence, mode, calls)
}

function decideCall(evidence: Evidence, mode: Mode, calls: number): Decision {
  if (calls === 0) return { inline: true, why: 'not seen under this load; a caller that waits is billed for waiting' }
  const saved = evidence.handOverMs(mode, 128)
  const figures = Number.isFinite(saved) ? `saves ${saved.toFixed(1)} ms hand-over per call, ` : ''
  return { inline: true, why: `${figures}${perRun(calls)}; the caller is no longer billed for waiting` }
}

/**
 * Inlined, async work runs after the reply in the host's sandbox. CPU-bound work costs the same in GB·s at any size; waiting
 * does not, and is billed at the host's size. Against that stand the request fee and the hand-over, which the caller's
 * sandbox is billed for and the reply waits for.
 */
function decideSend(
  { facts }: StrategyContext,
  evidence: Evidence,
  from: TaskName,
  to: TaskName,
  calls: number,
): Decision {
  if (calls === 0) return { inline: false, why: 'never seen under this load, so nothing is known to be gained' }
  const usd = (ms: number, memory: number) => ((memory / 1024) * ms * facts.prices.perGbSecond) / 1000
  const measured = evidence.sizes(from).at(-1) ?? 128
  const handOver = evidence.handOverMs('send', measured)
  const saved = facts.prices.perRequest + usd(Number.isFinite(handOver) ? handOver : 0, measured)
  const atMemory = evidence.sizes(to).at(-1) ?? 128
  const share = evidence.cpuShare(to)
  // Below a full core a throttled task seems to wait: what it waits for its own share is not I/O.
  const throttled = Math.min(1, atMemory / facts.mbPerCore)
  const ioMs = evidence.ownMs(to, atMemory) * Math.max(0, 1 - share / throttled)
  const host = Math.max(measured, Math.round(0.6 * facts.mbPerCore))
  const lost = Math.max(0, usd(ioMs, host) - usd(ioMs, 128))
  const figures = `hand-over ${(Number.isFinite(handOver) ? handOver : 0).toFixed(1)} ms and the request fee are $${(saved * 1e6).toFixed(2)} per million sends, ${ioMs.toFixed(1)} ms of waiting in the host at most $${(lost * 1e6).toFixed(2)}`
  return saved >= lost
    ? {
        inline: true,
        why: `runs after the reply, which no longer waits for the hand-over: ${figures}; ${perRun(calls)}`,
      }
    : { inline: false, why: `stays remote: ${figures}` }
}

const perRun = (calls: number) => `${Number(calls.toFixed(2))} per run`

function isRecursive(app: App, from: TaskName, to: TaskName): boolean {
  const seen = new Set<TaskName>()
  const reaches = (task: TaskName): boolean => {
    if (task === from) return true
    if (seen.has(task)) return false
    seen.add(task)
    return app.edges.some((edge) => edge.from === task && reaches(edge.to))
  }
  return reaches(to)
}
