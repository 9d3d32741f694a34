import type { PlannerFacts } from '../types.js'
import type { Compiled, CompiledRun, Stretch } from './compile.js'

/**
 * What is not known is taken as `best` or as `worst` for the fused setup: whether own time is computing, and how far the computing of calls beside
 * each other falls into each other's waiting.
 */
export type Assumption = 'best' | 'worst'

export interface ReplayOptions {
  /** Whether an edge's calls are inline, by number. */
  inline: (edge: number) => boolean
  assume: Assumption
  prices: PlannerFacts['prices']
  /** MB of one full core: more makes nothing faster (PAPERS §1, CPU law). */
  mbPerCore: number
  /** Memory of functions that do not tell theirs, MB; absent: what needs it is NaN. */
  assumedMemoryMb?: number
}

/** What one request would have been. */
export interface Replayed {
  /** Ms from the arrival to the reply. */
  latencyMs: number
  /** Sum of all invocations: compute, fees, start-ups and the gateway. NaN when a memory is not known. */
  costUsd: number
  invocations: number
  startUps: number
  /** Time in which an invocation only waits for another (METRICS), and all billed time. ms */
  doubleBilledMs: number
  billedMs: number
  /** The same × GB; NaN when a memory is not known. */
  doubleBilledGbMs: number
  billedGbMs: number
}

/**
 * Replays a request with some of its calls inline. An inline call has no hand-over and no invocation of its own: its work is in its caller's,
 * which has the larger of both memories. Own work keeps its length, but that its computing goes as fast as the memory allows (time ∝ 1/MB up
 * to a full core); calls start as long after what came before them as they did. Where calls beside each other become inline, their computing
 * comes one after the other, their waiting does not. An inline send runs after the reply. What is not inline keeps its hand-over, and what an
 * invocation's first one takes longer when it becomes that.
 */
export function replay(trace: Compiled, options: ReplayOptions): Replayed {
  const { runs } = trace
  const n = runs.length
  const hosts = hostsOf(trace, options)
  const length = new Float64Array(n)
  const busy = new Float64Array(n)
  const waiting = new Float64Array(n)
  for (let i = n - 1; i >= 0; i--) {
    const run = runs[i] as CompiledRun
    const [low, high] = run.cpuMs
    const factor = speedOf(run, hosts.memory[hosts.host[i] as number] as number, options)
    // A faster core helps what computes most when that is all of it; sharing it hurts then.
    const computing = options.assume === 'best' ? high : low
    const own = run.ownMs - computing + computing * factor
    const scale = run.ownMs > 0 ? own / run.ownMs : 1
    busy[i] = (options.assume === 'best' ? low : high) * factor
    let [at, now] = [0, 0]
    for (const stretch of run.stretches) {
      now += (stretch.from - at) * scale
      const took = stretchOf(stretch, i, options.assume, runs, hosts.host, length, busy, waiting)
      now += took
      at = stretch.to
    }
    length[i] = now + (run.ms - at) * scale
  }
  return sumUp(trace, options, hosts, length, waiting)
}

interface Hosts {
  /** Index of the first run of the invocation that each run is in. */
  host: Int32Array
  /** MB, by that index. */
  memory: Float64Array
}

function hostsOf({ runs }: Compiled, { inline, assumedMemoryMb = Number.NaN }: ReplayOptions): Hosts {
  const host = new Int32Array(runs.length)
  const memory = new Float64Array(runs.length)
  for (let i = 0; i < runs.length; i++) {
    const { edge, memoryMb, parent, remote } = runs[i] as CompiledRun
    const own = Number.isNaN(memoryMb) ? assumedMemoryMb : memoryMb
    const at = parent >= 0 && (!remote || (edge >= 0 && inline(edge))) ? (host[parent] as number) : i
    host[i] = at
    memory[at] = at === i ? own : Math.max(memory[at] as number, own)
  }
  return { host, memory }
}

/** How much longer computing takes at the host's memory than it took: at most 1, since the host has the larger one. */
function speedOf(run: CompiledRun, hostMb: number, { assumedMemoryMb, mbPerCore }: ReplayOptions): number {
  const own = Number.isNaN(run.memoryMb) ? (assumedMemoryMb ?? Number.NaN) : run.memoryMb
  const factor = Math.min(own, mbPerCore) / Math.min(hostMb, mbPerCore)
  return Number.isNaN(factor) ? 1 : factor
}

/** How long a stretch takes now. Adds to the caller's computing and waiting what it has of them. */
function stretchOf(
  { calls, byEnd, from }: Stretch,
  caller: number,
  assume: Assumption,
  runs: readonly CompiledRun[],
  host: Int32Array,
  length: Float64Array,
  busy: Float64Array,
  waiting: Float64Array,
): number {
  let took = 0
  // Whom the caller waits for elsewhere; a hand-over is no double billing (METRICS).
  let [remoteFrom, remoteTo] = [Number.POSITIVE_INFINITY, 0]
  let inlineFrom = Number.POSITIVE_INFINITY
  let inlineBusy = 0
  let inlineMost = 0
  // The latest end if everything else computed before it: of each, its end less its own computing.
  let inlineLast = 0
  let inlineWaits = 0
  let inlined = 0
  let isNew = false
  // What begins after others of the stretch have ended is taken to have waited for them.
  const ends = calls.length > 1 ? new Float64Array(calls.length) : undefined
  let [passed, latestNow] = [0, 0]
  for (const [k, call] of calls.entries()) {
    const run = runs[call.run] as CompiledRun
    for (; ends && passed < k && (calls[byEnd[passed] as number] as { to: number }).to <= call.from; passed++)
      latestNow = Math.max(latestNow, ends[byEnd[passed] as number] as number)
    const before = passed > 0 ? calls[byEnd[passed - 1] as number] : undefined
    const start = before ? latestNow + call.from - before.to : call.from - from
    const isInline = host[call.run] === host[caller]
    const open = isInline
      ? run.send
        ? 0
        : (length[call.run] as number)
      : run.handOverMs[0] +
        (run.send ? 0 : (length[call.run] as number) + run.handOverMs[1]) +
        (becomesFirst(run, runs, host) ? run.firstExtraMs : 0)
    const end = start + open
    if (ends) ends[k] = end
    took = Math.max(took, end)
    if (run.send) continue
    if (!isInline) {
      remoteFrom = Math.min(remoteFrom, start)
      remoteTo = Math.max(remoteTo, end)
      continue
    }
    inlined++
    isNew ||= run.remote
    inlineFrom = Math.min(inlineFrom, start)
    inlineBusy += busy[call.run] as number
    inlineWaits = Math.max(inlineWaits, waiting[call.run] as number)
    inlineMost = Math.max(inlineMost, open)
    inlineLast = Math.max(inlineLast, end - (busy[call.run] as number))
  }
  // What was inline before took what it took.
  if (inlined > 1 && isNew) took = Math.max(took, (assume === 'best' ? inlineFrom : inlineLast) + inlineBusy)
  busy[caller] = (busy[caller] as number) + inlineBusy
  // Of several inline ones that wait, all wait only when none of them computes.
  const idle = inlined > 1 ? Math.min(inlineWaits, Math.max(0, took - inlineBusy)) : inlineWaits
  const elsewhere = Math.max(0, remoteTo - remoteFrom)
  const added = inlined === 0 ? elsewhere : idle + Math.max(0, elsewhere - (inlineMost - idle))
  waiting[caller] = (waiting[caller] as number) + added
  return took
}

/** Whether all hand-overs of the invocation that came before it are inline now. */
function becomesFirst({ earlier, firstExtraMs }: CompiledRun, runs: readonly CompiledRun[], host: Int32Array): boolean {
  if (firstExtraMs === 0 || earlier.length === 0) return false
  return earlier.every((at) => host[at] === host[(runs[at] as CompiledRun).parent])
}

function sumUp(
  { beforeMs, runs }: Compiled,
  { prices }: ReplayOptions,
  { host, memory }: Hosts,
  length: Float64Array,
  waiting: Float64Array,
): Replayed {
  const billed = new Float64Array(runs.length)
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i] as CompiledRun
    const at = host[i] as number
    if (at === i) billed[at] = (billed[at] as number) + (length[i] as number) + run.extraBilledMs
    // What runs after the reply of the invocation that it is in now: its rest, and what nobody waits for that became inline.
    else if (run.remote && (run.send || !run.awaited)) billed[at] = (billed[at] as number) + (length[i] as number)
    billed[at] = (billed[at] as number) + run.tailMs
  }
  const replayed: Replayed = {
    latencyMs: beforeMs + (length[0] as number),
    costUsd: prices.perGatewayRequest,
    invocations: 0,
    startUps: 0,
    doubleBilledMs: 0,
    billedMs: 0,
    doubleBilledGbMs: 0,
    billedGbMs: 0,
  }
  const { billsInit, granularityMs, perGbSecond, perRequest } = prices
  for (let i = 0; i < runs.length; i++) {
    if (host[i] !== i) continue
    const run = runs[i] as CompiledRun
    const ms = Math.max(0, billed[i] as number)
    replayed.invocations++
    replayed.billedMs += ms
    const double = Math.min(ms, waiting[i] as number)
    const gb = (memory[i] as number) / 1024
    replayed.doubleBilledMs += double
    replayed.billedGbMs += ms * gb
    replayed.doubleBilledGbMs += double * gb
    if (run.cold) replayed.startUps++
    const startUp = billsInit ? Math.ceil(run.coldMs / granularityMs) * granularityMs : 0
    const billedMs = Math.ceil(ms / granularityMs - 1e-9) * granularityMs + startUp
    replayed.costUsd += gb * (billedMs / 1000) * perGbSecond + perRequest
  }
  return replayed
}
