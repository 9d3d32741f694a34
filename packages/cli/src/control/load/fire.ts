/** What came back for one request, or why nothing did. */
export interface Reply {
  status: number
  /** Session that the platform gave the request (reply header `x-fusionize-session`). */
  session?: string
}

/** One request of a load as its client saw it. */
export interface RequestSample {
  /** Position in the load. */
  index: number
  /** Intended start, ms from the load's beginning. */
  startMs: number
  /** From the intended start to the last byte; a time-out counts at its limit (METRICS). */
  latencyMs: number
  /** HTTP status; absent when no reply came. */
  status?: number
  /** Why the request failed; absent when it did not. */
  error?: string
  session?: string
}

/** A clock that a test can move. Times in ms on one monotonic axis. */
export interface Clock {
  now(): number
  /** Calls back at `timeMs` or as soon after it as possible, never before; returns how to call it off. */
  at(timeMs: number, callback: () => void): () => void
}

export interface FireOptions {
  clock: Clock
  /** Makes request `index`; rejects when no reply came. `signal` aborts at the time limit. */
  send(index: number, signal: AbortSignal): Promise<Reply>
  /** Limit of one request from its intended start, ms. */
  timeoutMs: number
  /** Requests under way at most; an arrival beyond it fails at once and counts at the time limit. */
  maxInFlight: number
  /** Ends the load: no more arrivals, requests under way are dropped. */
  signal: AbortSignal
  onSample(sample: RequestSample): void
}

/**
 * Open loop: request i starts at `arrivals[i]` whatever became of the others, and its latency counts from there, so a client or a
 * platform that falls behind shows in the figures and not in fewer arrivals. Resolves when each request has its sample or the load
 * was ended.
 */
export function fire(arrivals: readonly number[], options: FireOptions): Promise<void> {
  const { clock, timeoutMs, signal } = options
  if (arrivals.length === 0 || signal.aborted) return Promise.resolve()
  const begin = clock.now()
  const underWay = new Set<() => void>()
  let next = 0
  let left = arrivals.length
  return new Promise<void>((resolve) => {
    let cancelNext = () => {}
    const finish = () => {
      signal.removeEventListener('abort', finish)
      cancelNext()
      for (const drop of underWay) drop()
      resolve()
    }
    signal.addEventListener('abort', finish, { once: true })

    const settle = (sample: RequestSample) => {
      options.onSample(sample)
      if (--left === 0) finish()
    }
    const start = (index: number) => {
      const startMs = arrivals[index] as number
      if (underWay.size >= options.maxInFlight) {
        settle({ index, startMs, latencyMs: timeoutMs, error: `more than ${options.maxInFlight} requests under way` })
        return
      }
      const abort = new AbortController()
      const limit = begin + startMs + timeoutMs
      const drop = () => {
        underWay.delete(drop)
        cancelLimit()
        abort.abort()
      }
      const end = (outcome: { reply: Reply } | { error: string }, latencyMs = clock.now() - begin - startMs) => {
        if (!underWay.delete(drop)) return
        cancelLimit()
        settle({ index, startMs, latencyMs, ...facts(outcome) })
      }
      const cancelLimit = clock.at(limit, () => {
        end({ error: `no reply within ${timeoutMs} ms` }, timeoutMs)
        abort.abort()
      })
      underWay.add(drop)
      options.send(index, abort.signal).then(
        (reply) => end({ reply }),
        (error: unknown) => end({ error: error instanceof Error ? error.message : String(error) }),
      )
    }
    const arrive = () => {
      while (next < arrivals.length && begin + (arrivals[next] as number) <= clock.now()) start(next++)
      if (next < arrivals.length) cancelNext = clock.at(begin + (arrivals[next] as number), arrive)
    }
    arrive()
  })
}

function facts(outcome: { reply: Reply } | { error: string }): Pick<RequestSample, 'status' | 'session' | 'error'> {
  if ('error' in outcome) return { error: outcome.error }
  const { status, session } = outcome.reply
  return {
    status,
    ...(session === undefined ? {} : { session }),
    ...(status >= 400 ? { error: `HTTP ${status}` } : {}),
  }
}
