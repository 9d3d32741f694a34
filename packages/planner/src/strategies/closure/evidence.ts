import type { Mode } from 'fusionize/setup'
import { mergeProfiles } from '../../profile/merge.js'
import { type EdgeProfile, edgeKey, type Profile, type TaskProfile } from '../../profile/types.js'
import { type Distribution, emptyDistribution, meanOf, mergeDistributions } from '../../statistics/distribution.js'
import type { Round } from '../../types.js'
import { type Fit, fitTimes, timeAt } from '../fit.js'

/** What the rounds so far say about tasks and calls, whatever setup they were seen in. */
export interface Evidence {
  profile: Profile
  /** Own time of a task by memory, through the sizes at which it ran. */
  taskTime(task: string): Fit
  /** Sizes at which a task ran, MB, ascending. */
  sizes(task: string): number[]
  /** Calls of an edge per run of its caller: those through a bucket, or those through none; 0 when never seen. */
  callsPerRun(from: string, to: string, mode: Mode, bucket?: string): number
  /** The calls that run beside those of an edge; undefined when they run alone. */
  group(from: string, to: string, mode: Mode): Group | undefined
  /** Mean hand-over of a remote call or send from a caller of this memory, ms; 0 when none was ever seen. */
  handOverMs(mode: Mode, memory: number): number
  /** Start-ups: per invocation when the load forces them, and per ms of run time when load makes sandboxes more. */
  starts: { perInvocation: number; perBusyMs: number; timeMs: Fit }
  /** Peak memory that a function of these tasks needs, MB; 0 where memory is not enforced or nothing is known. */
  peakMb(tasks: readonly string[]): number
}

/** Calls that a task has open at the same time. */
export interface Group {
  /** How many times in a row, 1 or more. */
  steps: number
}

/** @param mbPerCore memory that gives a full core */
export function evidenceOf(rounds: readonly Round[], mbPerCore: number): Evidence {
  const profile = rounds.map((round) => round.profile).reduce(mergeProfiles)
  const tasks = new Map(Object.entries(profile.tasks).map(([task, found]) => [task, fitTask(found, mbPerCore)]))
  const handOvers = new Map((['call', 'send', 'map'] as const).map((mode) => [mode, fitHandOver(profile, mode)]))
  const edge = (from: string, to: string, mode: Mode) =>
    (['remote', 'inline'] as const).flatMap((route): EdgeProfile[] => {
      const found = profile.edges[edgeKey(from, to, mode, route)]
      return found ? [found] : []
    })
  const groups = groupsOf(profile)
  return {
    profile,
    taskTime: (task) => tasks.get(task) ?? { fixedMs: 0, scaledMbMs: 0, fullMb: mbPerCore },
    sizes: (task) =>
      Object.keys(profile.tasks[task]?.sizes ?? {})
        .map(Number)
        .sort((a, b) => a - b),
    callsPerRun: (from, to, mode, bucket) =>
      edge(from, to, mode).reduce((sum, found) => sum + callsThrough(found, bucket), 0) /
      Math.max(1, profile.tasks[from]?.runs ?? 0),
    group: (from, to, mode) => groups.get(`${from}>${mode} ${to}`),
    handOverMs(mode, memory) {
      const fit = handOvers.get(mode) ?? handOvers.get('call')
      return fit ? timeAt(fit, memory) : 0
    },
    starts: startsOf(profile, mbPerCore),
    peakMb: (members) => peakOf(profile, members),
  }
}

function callsThrough({ buckets = {}, calls }: EdgeProfile, bucket: string | undefined): number {
  if (bucket !== undefined) return buckets[bucket] ?? 0
  return Object.values(buckets).reduce((direct, through) => direct - through, calls)
}

/** Share of runs beside others from which on it counts as the rule. */
const BESIDE = 0.5

/**
 * By `caller>mode callee`, the group that the calls belong to: those that are beside one another in most runs. Calls of one step together take as
 * long as the longest, so the time that they all add, over the longest, counts the steps.
 */
function groupsOf(profile: Profile): Map<string, Group> {
  const groups = new Map<string, Group & { addedMs: number; longestMs: number }>()
  for (const { from, to, mode, route, calls, beside, addedMs, waitMs } of Object.values(profile.edges)) {
    // Inline, calls that compute look as if they waited: how they overlap is seen best when they are remote.
    if (route === 'inline' && (mode === 'send' || profile.edges[edgeKey(from, to, mode, 'remote')])) continue
    const others = Object.entries(beside).filter(([, times]) => times > BESIDE * calls)
    if (others.length === 0) continue
    const keys = [`${mode} ${to}`, ...others.map(([target]) => target)].map((target) => `${from}>${target}`)
    const known = keys.flatMap((key) => groups.get(key) ?? [])
    const group = known[0] ?? { steps: 1, addedMs: 0, longestMs: 0 }
    for (const key of keys) groups.set(key, group)
    const perRun = calls / Math.max(1, profile.tasks[from]?.runs ?? 0)
    group.addedMs += (addedMs / calls) * perRun
    group.longestMs = Math.max(group.longestMs, meanOf(waitMs) * Math.min(1, perRun))
  }
  for (const group of groups.values()) group.steps = Math.max(1, group.addedMs / group.longestMs || 1)
  return groups
}

/** Own time of which less than this share is shared with other runs is known. */
const ALONE = 0.95

function fitTask({ sizes }: TaskProfile, mbPerCore: number): Fit {
  const found = Object.entries(sizes).map(([memory, size]) => ({ memory: Number(memory), ...size }))
  const cores = coresUsed(found, mbPerCore)
  const fullMb = cores * mbPerCore
  const alone = found.filter(({ workMs, ownMs }) => workMs >= ALONE * ownMs.sum)
  const known = fitTimes(
    alone.map(({ memory, workMs, runs }) => ({ memory, ms: workMs / runs })),
    fullMb,
    computingShare(found, mbPerCore),
  )
  if (alone.length === found.length) return known
  // Of runs beside others it is not known whether they computed or waited meanwhile: only bounds are.
  const points = found.map(({ memory, workMs, ownMs, runs }) => {
    const [least, most] = [workMs / runs, ownMs.sum / runs]
    return { memory, ms: alone.length === 0 ? least : Math.min(most, Math.max(least, timeAt(known, memory))) }
  })
  return fitTimes(points, fullMb, computingShare(found, mbPerCore))
}

type SizeAt = TaskProfile['sizes'][string] & { memory: number }

/** Only above one core can be seen how many cores a task uses. */
function coresUsed(sizes: readonly SizeAt[], mbPerCore: number): number {
  return sizes
    .filter(({ memory, cpuOwnMs }) => memory >= mbPerCore && cpuOwnMs > 0)
    .reduce((cores, { cpuMs, cpuOwnMs }) => Math.max(cores, Math.ceil(cpuMs / cpuOwnMs - 0.2)), 1)
}

/** Share of the own time that is computing. Below a full core a task waits for its share of it: that too ends with more memory. */
function computingShare(sizes: readonly SizeAt[], mbPerCore: number): number {
  let cpuMs = 0
  let atOneCoreMs = 0
  for (const size of sizes) {
    cpuMs += size.cpuMs
    atOneCoreMs += size.cpuOwnMs * Math.min(1, size.memory / mbPerCore)
  }
  return atOneCoreMs > 0 ? Math.min(1, cpuMs / atOneCoreMs) : 1
}

/**
 * Share of a send's hand-over that is the caller's computing, while it was seen at one size only: on AWS Lambda it takes 62–160 ms from 128 MB and
 * 24–36 ms from 768 MB (PAPERS §1).
 */
const SENDING = 0.75

function fitHandOver(profile: Profile, mode: Mode): Fit | undefined {
  const bySize: Record<string, Distribution> = {}
  for (const edge of Object.values(profile.edges))
    if (edge.mode === mode && edge.route === 'remote')
      for (const [memory, overhead] of Object.entries(edge.overheadMs))
        bySize[memory] = mergeDistributions(bySize[memory] ?? emptyDistribution(), overhead)
  const points = Object.entries(bySize).map(([memory, d]) => ({ memory: Number(memory), ms: meanOf(d) }))
  return points.length === 0 ? undefined : fitTimes(points, Number.POSITIVE_INFINITY, mode === 'send' ? SENDING : 0)
}

function startsOf(profile: Profile, mbPerCore: number): Evidence['starts'] {
  let [invocations, busyMs, forced, natural] = [0, 0, 0, 0]
  const times: Record<string, Distribution> = {}
  for (const f of Object.values(profile.functions)) {
    invocations += f.invocations
    busyMs += f.wallMs.sum
    forced += f.forcedColdStarts
    natural += f.coldStarts - f.forcedColdStarts - f.prewarmedColdStarts
    if (f.coldStarts > 0) times[f.memory] = mergeDistributions(times[f.memory] ?? emptyDistribution(), f.coldMs)
  }
  const points = Object.entries(times).map(([memory, d]) => ({ memory: Number(memory), ms: meanOf(d) }))
  return {
    perInvocation: invocations > 0 ? forced / invocations : 0,
    perBusyMs: busyMs > 0 ? natural / busyMs : 0,
    timeMs: fitTimes(points, mbPerCore, 1),
  }
}

/** A common base plus what each member needs beyond it; runs after the reply overlap, so all may be there at once. */
function peakOf(profile: Profile, members: readonly string[]): number {
  const peaks = new Map<string, number>()
  for (const f of Object.values(profile.functions)) {
    if (f.peakMb > f.memory) return 0
    peaks.set(f.function, Math.max(peaks.get(f.function) ?? 0, f.peakMb))
  }
  const base = Math.min(...peaks.values())
  return peaks.size === 0 ? 0 : members.reduce((sum, task) => sum + Math.max(0, (peaks.get(task) ?? base) - base), base)
}
