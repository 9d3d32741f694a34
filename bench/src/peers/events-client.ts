import { setTimeout as sleep } from 'node:timers/promises'
import { adEvents } from '@fusionize/example-kit/ads'
import { connect } from '@fusionize/local/client'

/** Events that arrive at an even rate, whatever becomes of those before them. */
export interface EventsOrder {
  /** Path of the platform's socket. */
  path: string
  seed: number
  /** Number of the first event. */
  first: number
  /** Events of a request. */
  batch: number
  requestsPerSecond: number
  ms: number
}

export interface EventsSent {
  /** When the first request was to arrive, epoch ms. */
  beganMs: number
  requests: number
  /** Us from the intended arrival of each answered request to its answer. */
  latenciesUs: number[]
  /** Events answered in every 100 ms. */
  answered: number[]
  /** Why requests failed, each reason once. */
  errors: string[]
}

const SLICE_MS = 100

process.once('message', async ({ path, seed, first, batch, requestsPerSecond, ms }: EventsOrder) => {
  const client = await connect(path)
  const requests = Math.max(1, Math.round((ms * requestsPerSecond) / 1000))
  const inputs = Array.from({ length: requests }, (_, i) =>
    JSON.stringify({ events: adEvents({ seed, first: first + i * batch, count: batch }) }),
  )
  const latenciesUs: number[] = []
  const answered = new Array<number>(Math.ceil(ms / SLICE_MS)).fill(0)
  const errors = new Set<string>()
  const began = performance.now() + 10
  const ask = async (input: string, arrival: number) => {
    const result = await client.invoke('ingest', input)
    const now = performance.now()
    if (!result.ok) {
      errors.add(result.error.message)
      return
    }
    latenciesUs.push((now - arrival) * 1000)
    const slice = Math.floor((now - began) / SLICE_MS)
    if (slice < answered.length) answered[slice] = (answered[slice] ?? 0) + batch
  }
  const asked: Promise<void>[] = []
  for (let i = 0; i < requests; ) {
    const due = began + (i * 1000) / requestsPerSecond
    if (performance.now() < due) await sleep(1)
    else asked.push(ask(inputs[i++] as string, due))
  }
  await Promise.all(asked)
  await client.close()
  const sent: EventsSent = {
    beganMs: performance.timeOrigin + began,
    requests,
    latenciesUs,
    answered,
    errors: [...errors],
  }
  process.send?.(sent)
})
