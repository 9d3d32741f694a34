import type { Clock } from '../clock.js'
import { AwsError } from '../gateway/error.js'
import type { Invocation, Invoked, Invoker } from './invoke.js'
import type { Places } from './places.js'

/** Waits before the first and the second retry after an error of the function, ms of real Lambda. */
const retryMs = [60_000, 120_000]
/** First and longest wait after a throttle or an error of Lambda itself, ms of real Lambda. */
const backoffMs = { first: 1000, longest: 300_000 }
/** Retries where nothing else is said, and age at which Lambda drops an event, s. */
const defaults = { attempts: 2, ageSeconds: 21_600 }

interface Held {
  invocation: Invocation
  bornMs: number
  /** Invocations that ran. */
  ran: number
  /** Throttles since the last that ran. */
  refused: number
}

/** What an on-failure destination gets. */
export interface FailureRecord {
  version: '1.0'
  timestamp: string
  requestContext: {
    requestId: string
    functionArn: string
    condition: 'RetriesExhausted' | 'EventAgeExceeded' | 'ZeroReservedConcurrency'
    approximateInvokeCount: number
  }
  requestPayload: unknown
  responseContext?: { statusCode: number; executedVersion: string; functionError?: string }
  responsePayload?: unknown
}

export interface AsyncQueueParts {
  places: Places
  invoker: Invoker
  clock: Clock
  /** What waits are multiplied with. */
  delayScale: number
  /** Delivers to a destination in the name of the function's role; rejects where it may not, or the destination will not have it. */
  deliver(destination: string, record: FailureRecord, nameOfFunction: string): Promise<void>
}

/**
 * Lambda's internal queue for asynchronous invocations: retries, age, on-failure destinations.
 * Not imitated: on-success destinations, dead-letter configurations, events that run twice, an order of any kind.
 */
export class AsyncQueue {
  /** Events that were dropped or delivered to a destination, oldest first. */
  readonly failed: FailureRecord[] = []
  /** Records that their destination did not take: what the metric DestinationDeliveryFailures counts. */
  readonly undelivered: { record: FailureRecord; reason: string }[] = []
  readonly #parts: AsyncQueueParts
  readonly #held = new Set<Held>()
  #waiting: (() => void)[] = []

  constructor(parts: AsyncQueueParts) {
    this.#parts = parts
  }

  /** Events that are neither done nor given up. */
  get length(): number {
    return this.#held.size
  }

  accept(invocation: Invocation): void {
    const held: Held = { invocation, bornMs: this.#parts.clock.now(), ran: 0, refused: 0 }
    this.#held.add(held)
    setImmediate(() => void this.#attempt(held))
  }

  /** Resolves when no event is left. */
  async drained(): Promise<void> {
    while (this.#held.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Forgets all that is queued. */
  clear(): void {
    this.#held.clear()
    this.#wake()
  }

  async #attempt(held: Held): Promise<void> {
    if (!this.#held.has(held)) return
    const { attempts, ageMs, onFailure } = this.#settings(held)
    if (this.#parts.clock.now() - held.bornMs > ageMs) return this.#giveUp(held, 'EventAgeExceeded', onFailure)
    if (this.#parts.places.functions.get(held.invocation.name)?.reservedConcurrency === 0)
      return this.#giveUp(held, 'ZeroReservedConcurrency', onFailure)
    let invoked: Invoked
    try {
      invoked = await this.#parts.invoker.invoke(held.invocation)
    } catch (error) {
      // The function is gone: so is the event. What is no error of AWS is one of the double, which must be seen.
      if (error instanceof AwsError && error.status === 404) return this.#done(held)
      if (!(error instanceof AwsError)) throw error
      const waitMs = Math.min(backoffMs.first * 2 ** held.refused++, backoffMs.longest)
      return this.#later(held, waitMs)
    }
    held.ran++
    held.refused = 0
    // The environment is in use until its extensions have ended too.
    await invoked.log
    if (!invoked.isError) return this.#done(held)
    if (held.ran > attempts) return this.#giveUp(held, 'RetriesExhausted', onFailure, invoked)
    this.#later(held, retryMs[held.ran - 1] ?? 0)
  }

  #settings({ invocation }: Held): { attempts: number; ageMs: number; onFailure: string | undefined } {
    const config = this.#parts.places.functions.get(invocation.name)?.eventInvoke.get(invocation.qualifier ?? '$LATEST')
    return {
      attempts: config?.MaximumRetryAttempts ?? defaults.attempts,
      ageMs: (config?.MaximumEventAgeInSeconds ?? defaults.ageSeconds) * 1000,
      onFailure: config?.DestinationConfig?.OnFailure?.Destination,
    }
  }

  #later(held: Held, waitMs: number): void {
    this.#parts.clock.after(waitMs * this.#parts.delayScale, () => void this.#attempt(held))
  }

  async #giveUp(
    held: Held,
    condition: FailureRecord['requestContext']['condition'],
    onFailure: string | undefined,
    invoked?: Invoked,
  ): Promise<void> {
    const { invocation } = held
    const record: FailureRecord = {
      version: '1.0',
      timestamp: this.#parts.clock.date().toISOString(),
      requestContext: {
        requestId: invocation.requestId,
        functionArn: this.#parts.places.arnOf(invocation.name, invocation.qualifier ?? '$LATEST'),
        condition,
        approximateInvokeCount: held.ran,
      },
      requestPayload: JSON.parse(invocation.payload.toString('utf8')),
      ...(invoked ? responseOf(invoked) : {}),
    }
    this.failed.push(record)
    if (onFailure)
      await this.#parts.deliver(onFailure, record, invocation.name).catch((error) => {
        this.undelivered.push({ record, reason: String(error) })
      })
    this.#done(held)
  }

  #done(held: Held): void {
    this.#held.delete(held)
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

function responseOf({ payload, version }: Invoked): Pick<FailureRecord, 'responseContext' | 'responsePayload'> {
  return {
    responseContext: { statusCode: 200, executedVersion: version, functionError: 'Unhandled' },
    responsePayload: JSON.parse(payload.toString('utf8')),
  }
}
