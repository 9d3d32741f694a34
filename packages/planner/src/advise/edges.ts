import { meanOf, quantileOf } from '../statistics/distribution.js'
import type { Estimate } from '../types.js'
import { type Outcome, outcomeOf, type Requests, savedMs, savedUsd, weightedMeanAt } from './figures.js'
import type { Kept } from './kept.js'
import { type Observed, OTHERS, type SeenEdge } from './observe.js'
import { assumptions, type Replayed, type Replayer } from './replayer.js'
import type { EdgeAdvice, Verdict } from './types.js'
import { digits, interval, ms, percent, usd } from './words.js'

/** Edges that are replayed one by one: those with the longest waits. Others only get their figures. */
const MOST_REPLAYED = 60

/** Advice about each edge, and which of them together make the fused setup (by number). */
export function adviseEdges(
  seen: Observed,
  requests: Requests,
  replayed: Replayer,
  seed: number,
): { edges: EdgeAdvice[]; fused: Set<number> } {
  const weight = (edge: SeenEdge) => edge.remote * (meanOf(edge.waitMs) || meanOf(edge.runMs) || 0)
  const ordered = [...seen.edges.values()].sort((a, b) => weight(b) - weight(a) || a.number - b.number)
  const advised = ordered.map((edge, i) => ({
    edge,
    advice: adviseEdge(seen, edge, requests, replayed, seed, i < MOST_REPLAYED),
  }))
  const fused = new Set<number>()
  combine(advised, fused, requests, replayed)
  return { edges: advised.map(({ advice }) => advice), fused }
}

function adviseEdge(
  seen: Observed,
  edge: SeenEdge,
  requests: Requests,
  replayed: Replayer,
  seed: number,
  mayReplay: boolean,
): EdgeAdvice {
  const some = requests.byEdge.get(edge.number) ?? new Int32Array()
  const advice: EdgeAdvice = {
    from: edge.from,
    to: edge.to,
    mode: edge.mode,
    calls: edge.calls,
    callsPerRequest: edge.calls / Math.max(1, seen.characteristics.requests),
    remoteShare: edge.remote / edge.calls,
    parallelShare: parallelShareOf(requests.kept, some, edge),
    verdict: 'unclear',
    why: [],
  }
  if (edge.waitMs.count > 0) {
    advice.waitMs = quantileOf(edge.waitMs, 0.5)
    advice.handOverMs = quantileOf(edge.handOverMs, 0.5)
  }
  if (edge.runMs.count > 0) advice.runMs = quantileOf(edge.runMs, 0.5)
  if (edge.coldKnown > 0) advice.coldShare = edge.cold / edge.coldKnown
  if (edge.remote === 0)
    return { ...advice, verdict: 'inline', why: ['Every call is in the process of its caller already.'] }
  if (!mayReplay || some.length === 0 || edge.from === OTHERS)
    return { ...advice, why: ['Not replayed: other calls cost far more time.'] }
  const outcome = outcomeOf(requests, replayed, (number) => number === edge.number, some)
  const [time, money] = [savedMs(requests, outcome, some, seed), savedUsd(requests, outcome, seed)]
  const verdict = verdictOf(edge, time, money)
  return {
    ...advice,
    verdict,
    savesMs: time,
    savesPerMillionUsd: money,
    why: wordsOf(advice, verdict, time, money, isComputingKnown(requests.kept, some, edge.number, replayed)),
  }
}

/** Less is nothing, ms and USD per million requests. */
const NOTHING = { ms: 0.005, usd: 0.0005 } as const

function verdictOf({ mode }: SeenEdge, time: Estimate, money: Estimate | null): Verdict {
  const [faster, slower] = [time.low > NOTHING.ms, time.high < -NOTHING.ms]
  const [cheaper, dearer] = [(money?.low ?? 0) > NOTHING.usd, (money?.high ?? 0) < -NOTHING.usd]
  const notSlower = time.low >= -NOTHING.ms
  const notDearer = (money?.low ?? 0) >= -NOTHING.usd
  if (notSlower && notDearer && (faster || cheaper)) return mode === 'send' ? 'after-reply' : 'fuse'
  if (mode === 'send') return 'keep'
  if ((faster && dearer) || (slower && cheaper)) return 'trade'
  if (!faster && !cheaper && (slower || dearer)) return 'keep'
  return 'unclear'
}

function wordsOf(
  advice: EdgeAdvice,
  verdict: Verdict,
  time: Estimate,
  money: Estimate | null,
  computingKnown: boolean,
): string[] {
  const { callsPerRequest, coldShare, from, handOverMs, mode, parallelShare, runMs, to, waitMs } = advice
  const words: string[] = []
  if (mode === 'send') {
    if (waitMs !== undefined)
      words.push(`${from} waits ${ms(waitMs)} (median) until ${to} is handed over, not for its result.`)
    words.push(
      verdict === 'after-reply'
        ? `Inside ${from}'s function, after the reply, it would need no hand-over and no invocation: only where the platform lets work go on after the reply.`
        : `${to} alone keeps ${from}'s function free and runs beside it; inside it would ${time.low < 0 ? 'delay the reply or ' : ''}not be cheaper for certain.`,
    )
  } else if (waitMs !== undefined && runMs !== undefined && handOverMs !== undefined)
    words.push(
      `${from} waits ${ms(waitMs)} (median) for ${to}, which works ${ms(runMs)}: ${ms(handOverMs)} are hand-over, and ${from} is billed all along.`,
    )
  words.push(`${digits(callsPerRequest)} calls per request; each is an invocation with its fee.`)
  if (coldShare !== undefined && coldShare > 0)
    words.push(`${percent(coldShare)} of them started a sandbox while ${from} waited.`)
  if (parallelShare > 0.05 && mode !== 'send')
    words.push(
      `${percent(parallelShare)} lie beside other calls of ${from}: in one function their computing would come one after the other, their waiting would not${computingKnown ? '' : '; the traces do not tell which is which, so the interval holds both'}.`,
    )
  words.push(
    `Fused alone it saves ${interval(time)} ms per request with this call${money ? ` and ${interval(money)} USD per million requests` : '; cost is not told, since a memory is not known'}.`,
  )
  if (verdict === 'trade')
    words.push(time.value > 0 ? 'Faster, but dearer: your goal decides.' : 'Cheaper, but slower: your goal decides.')
  if (verdict === 'unclear')
    words.push('The interval holds gain and loss: CPU time in the traces, or a trial, would decide.')
  if (money && verdict === 'trade' && money.high < 0)
    words.push(
      `The larger memory of both would be paid for all of the time: ${usd(-money.value)} more per million requests.`,
    )
  return words
}

/** Share of an edge's calls that were open beside another one. */
function parallelShareOf(kept: readonly Kept[], some: Int32Array, { number }: SeenEdge): number {
  let [calls, beside] = [0, 0]
  for (const at of some) {
    const { besides, edge } = kept[at] as Kept
    for (const one of edge) if (one === number) calls++
    for (const child of besides) if (edge[child] === number) beside++
  }
  return calls === 0 ? 0 : beside / calls
}

function isComputingKnown(kept: readonly Kept[], some: Int32Array, number: number, { tells }: Replayer): boolean {
  for (const at of some) {
    const { edge, tree } = kept[at] as Kept
    for (const [i, node] of tree.nodes.entries()) if (edge[i] === number && !tells(node)) return false
  }
  return true
}

/**
 * Puts edges that are worth fusing together, the most worthwhile first, as long as the sum of them gains: calls beside each other that are each
 * worth fusing may not be so together.
 */
function combine(
  advised: readonly { edge: SeenEdge; advice: EdgeAdvice }[],
  fused: Set<number>,
  requests: Requests,
  replayed: Replayer,
): void {
  const candidates = advised
    .filter(({ advice }) => advice.verdict === 'fuse')
    .sort((a, b) => gainOf(b.advice) - gainOf(a.advice) || a.edge.number - b.edge.number)
  const current: Outcome = { waiting: [...requests.now], computing: [...requests.now] }
  for (const { advice, edge } of candidates) {
    const some = requests.byEdge.get(edge.number) ?? new Int32Array()
    const inline = (number: number) => number === edge.number || fused.has(number)
    const tried = outcomeOf(requests, replayed, inline, some)
    const lost = assumptions
      .map((assume) => lossOf(requests, current[assume], tried[assume], some))
      .find((loss) => loss !== undefined)
    if (lost !== undefined) {
      advice.verdict = 'unclear'
      advice.why.push(`Beside what is fused already it may lose ${lost}: it is left out of the fused setup.`)
      continue
    }
    fused.add(edge.number)
    for (const i of some) for (const assume of assumptions) current[assume][i] = tried[assume][i] as Replayed
  }
}

function gainOf({ savesMs, savesPerMillionUsd, callsPerRequest }: EdgeAdvice): number {
  return savesPerMillionUsd?.value ?? (savesMs?.value ?? 0) * callsPerRequest
}

/** What requests lose from one outcome to another, in words; undefined: nothing. */
function lossOf(
  { weight }: Requests,
  before: readonly Replayed[],
  after: readonly Replayed[],
  some: Int32Array,
): string | undefined {
  const mean = (list: readonly Replayed[], of: (r: Replayed) => number) =>
    weightedMeanAt(
      list.map((r) => of(r)),
      weight,
    )(some)
  const time = mean(before, (r) => r.latencyMs) - mean(after, (r) => r.latencyMs)
  const money = 1e6 * (mean(before, (r) => r.costUsd) - mean(after, (r) => r.costUsd))
  if (time < -NOTHING.ms) return `${ms(-time)} per request`
  return money < -NOTHING.usd ? `${usd(-money)} per million requests` : undefined
}
