import type { Call, Service } from './call.js'
import { refusal } from './protocols.js'

/** What to do to the next calls of an operation instead of answering them, or before. */
export type Fault =
  | { kind: 'throttle' }
  | { kind: 'error' }
  /** The answer comes this much later. */
  | { kind: 'latency'; ms: number }
  /** The connection breaks before an answer; `after` = after the operation took effect. */
  | { kind: 'disconnect'; when: 'before' | 'after' }

interface Planned {
  operation: string
  fault: Fault
  times: number
}

/** Faults to come, and who wants to look at each call before it is answered. */
export class Faults {
  #planned: Planned[] = []
  readonly #watchers = new Set<(call: Call) => void | Promise<void>>()

  /** The next `times` calls of `service:Operation` (`lambda:Invoke`, `lambda:*`, `*`) meet the fault. */
  next(operation: string, times: number, fault: Fault): void {
    this.#planned.push({ operation, times, fault })
  }

  /** Calls `watcher` before each call is answered; returns what ends that. What it throws is the call's answer. */
  watch(watcher: (call: Call) => void | Promise<void>): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  clear(): void {
    this.#planned = []
    this.#watchers.clear()
  }

  /** The fault that this call meets. */
  async meet(call: Call): Promise<Fault | undefined> {
    for (const watcher of this.#watchers) await watcher(call)
    const planned = this.#planned.find((x) => x.times > 0 && matches(x.operation, call))
    if (!planned) return undefined
    planned.times--
    const { fault } = planned
    if (fault.kind === 'throttle') throw throttled(call.service)
    if (fault.kind === 'error') throw refusal(call.service, 'broken', 'Something went wrong here, not with you')
    if (fault.kind === 'latency') await new Promise((resolve) => setTimeout(resolve, fault.ms))
    return fault
  }
}

function matches(pattern: string, { service, operation }: Call): boolean {
  return pattern === '*' || pattern === `${service}:*` || pattern === `${service}:${operation}`
}

function throttled(service: Service) {
  return refusal(service, 'throttled', 'Rate exceeded')
}
