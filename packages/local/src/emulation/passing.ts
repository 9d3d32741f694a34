import type { Passed } from 'fusionize/record'
import { type PassingFacts, passingFacts } from './passing-facts.js'
import { type Clock, realClock, SharedRate } from './shared-rate.js'

/** How data goes to another function, where that is emulated; `local` and `payload` are this platform's own way. */
export type PassedBy = Passed['how']

/** Data on its way, put or ready to be fetched. */
export class Transfer {
  readonly passed: Passed

  constructor(
    how: PassedBy,
    bytes: number,
    puts: number,
    /** Fetches them into a sandbox of this memory. */
    readonly fetch: (memoryMb: number, then: () => void) => void,
    facts: PassingFacts,
    readonly clock: Clock,
  ) {
    const gets = how === 'store' ? 1 : 0
    const feeUsd = puts * facts.putUsd + gets * facts.getUsd
    this.passed = { how, bytes, ms: 0, puts, gets, feeUsd, emulated: true }
  }

  /** The consumer's sandbox has begun with the invocation. @param then the input is there */
  arrive(memoryMb: number, then: () => void): void {
    const start = this.clock.now()
    this.fetch(memoryMb, () => {
      this.passed.ms = Math.round((this.clock.now() - start) * 1000) / 1000
      then()
    })
  }
}

/** A put under way; what its producer hands over meanwhile goes with it. */
interface Put {
  until: number
  waiting: (() => void)[]
}

/**
 * Emulates how data goes to other functions (BASELINES, `sonic` 3–5). This platform is one node, so `local` is what happens anyhow; `direct`: bytes / the interface of the
 * producer's node, shared by all transfers at a time; `store`: one put for what an invocation hands over to a task at once, then every consumer gets its own.
 */
export class DataPassing {
  readonly #nic: SharedRate
  readonly #puts = new Map<string, Put>()

  constructor(
    readonly facts: PassingFacts = passingFacts,
    readonly clock: Clock = realClock,
  ) {
    this.#nic = new SharedRate(facts.nicMbPerS * 1000, clock)
  }

  /**
   * @param from producing invocation and consuming task
   * @param memoryMb of the producer
   * @param then called when the producer has done its part
   */
  leave(how: PassedBy, from: string, bytes: number, memoryMb: number, then: (transfer: Transfer) => void): void {
    const { facts, clock } = this
    if (how === 'direct') {
      then(new Transfer(how, bytes, 0, (_, there) => this.#nic.move(bytes, there), facts, clock))
      return
    }
    const isFirst = this.#put(from, bytes, memoryMb, () => then(transfer))
    const get = (consumerMb: number, there: () => void) =>
      clock.later(facts.getMs + this.#storeMs(bytes, consumerMb), there)
    const transfer = new Transfer(how, bytes, isFirst ? 1 : 0, get, facts, clock)
  }

  /** @returns whether it is a put of its own, and not part of one under way */
  #put(from: string, bytes: number, memoryMb: number, then: () => void): boolean {
    const ms = this.#storeMs(bytes, memoryMb)
    const under = this.#puts.get(from)
    if (under) {
      under.until += ms
      under.waiting.push(then)
      return false
    }
    const put: Put = { until: this.clock.now() + this.facts.putMs + ms, waiting: [then] }
    this.#puts.set(from, put)
    const end = () => {
      const left = put.until - this.clock.now()
      if (left > 0) {
        this.clock.later(left, end)
        return
      }
      this.#puts.delete(from)
      for (const one of put.waiting) one()
    }
    this.clock.later(this.facts.putMs + ms, end)
    return true
  }

  #storeMs(bytes: number, memoryMb: number): number {
    const { storeMbPerS, fullMb } = this.facts
    return bytes / (storeMbPerS * 1000 * Math.min(1, memoryMb / fullMb))
  }

  /** In words, for reports. */
  get words(): string {
    const { date, putMs, getMs, storeMbPerS, nicMbPerS } = this.facts
    return `data passing emulated with unverified figures of ${date} (put ${putMs} ms, get ${getMs} ms, ${storeMbPerS} MB/s; interface ${nicMbPerS} MB/s); one node, so 'local' is free and all direct transfers share one interface`
  }
}
