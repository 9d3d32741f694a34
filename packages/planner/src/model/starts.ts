/** When an invocation used a sandbox, epoch ms. */
export interface Busy {
  function: string
  startMs: number
  endMs: number
}

/** How long a platform keeps an idle sandbox, ms (AWS Lambda: not documented; 5–15 min observed). */
export const KEEP_ALIVE_MS = 600_000

/** A sample of a load: request i stands for this many, spread over the time until the next. */
const THINNINGS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]

/** More invocations than this tell no more of concurrency. */
const ENOUGH = 20_000

export interface Load {
  /** Per request, in order of arrival. */
  arrivalMs: number[]
  busy: Busy[][]
}

/**
 * Start-ups by concurrency: an invocation takes an idle sandbox of its function if there is one, else starts one.
 * @returns share of invocations that start a sandbox, by function
 */
export function startShares(
  { arrivalMs, busy }: Load,
  times: number,
  keepAliveMs = KEEP_ALIVE_MS,
): Map<string, number> {
  const byFunction = new Map<string, [start: number, end: number][]>()
  for (const [i, invocations] of busy.entries()) {
    const here = arrivalMs[i] as number
    const next = arrivalMs[i + 1] ?? here + (here - (arrivalMs[i - 1] ?? here))
    for (let copy = 0; copy < times; copy++) {
      const shift = ((next - here) * copy) / times
      for (const { function: fn, startMs, endMs } of invocations) {
        const list = byFunction.get(fn)
        if (list) list.push([startMs + shift, endMs + shift])
        else byFunction.set(fn, [[startMs + shift, endMs + shift]])
      }
    }
  }
  return new Map([...byFunction].map(([fn, spans]) => [fn, startsOf(spans, keepAliveMs) / spans.length]))
}

function startsOf(spans: [start: number, end: number][], keepAliveMs: number): number {
  spans.sort((a, b) => a[0] - b[0])
  const ends = spans.map(([, end]) => end).sort((a, b) => a - b)
  // Idle sandboxes by when they became so; the last in is the first out, as on AWS Lambda, so that few are kept.
  const idle: number[] = []
  let ended = 0
  let starts = 0
  for (const [start] of spans) {
    for (; ended < ends.length && (ends[ended] as number) <= start; ended++) idle.push(ends[ended] as number)
    const since = idle.pop()
    if (since === undefined || start - since > keepAliveMs) starts++
  }
  return starts
}

/**
 * Of how many requests each recorded one is a sample: with so many, as many sandboxes start as were recorded. Without this, a sample's start-ups would
 * seem too many for its concurrency.
 * @param recorded share of start-ups, by function
 */
export function thinningOf(load: Load, recorded: ReadonlyMap<string, number>): number {
  const total = (shares: ReadonlyMap<string, number>) => {
    let sum = 0
    for (const fn of recorded.keys()) sum += shares.get(fn) ?? 0
    return sum
  }
  const wanted = total(recorded)
  let best = { times: 1, miss: Number.POSITIVE_INFINITY }
  const spans = load.busy.reduce((sum, invocations) => sum + invocations.length, 0)
  for (const times of THINNINGS) {
    if (times > 1 && times * spans > ENOUGH) break
    const miss = Math.abs(total(startShares(load, times)) - wanted)
    if (miss < best.miss) best = { times, miss }
  }
  return best.times
}
