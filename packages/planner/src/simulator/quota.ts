import type { Sandbox } from './state.js'
import type { CpuShare } from './types.js'

/** Below this a quota is used up: a ns. */
const NOTHING_MS = 1e-6

/** Holds sandboxes to a quota of CPU time by period, see `QuotaKeeping`. All cores that a sandbox uses are one account. */
export class Quota {
  private readonly periodMs: number
  private readonly tickMs: number
  private readonly sliceMs: number
  private readonly keepMs: number

  constructor(
    cpu: Extract<CpuShare, { kind: 'quota' }>,
    private readonly random: () => number,
  ) {
    this.periodMs = cpu.periodMs
    this.tickMs = cpu.tickMs ?? 0
    this.sliceMs = cpu.sliceMs ?? Number.POSITIVE_INFINITY
    this.keepMs = cpu.keepMs ?? 0
  }

  /** A sandbox begins: its periods do not begin when others' do. */
  reset(sandbox: Sandbox, vcpus: number, now: number): void {
    sandbox.vcpus = vcpus
    sandbox.quotaMs = vcpus * this.periodMs
    sandbox.takenMs = 0
    sandbox.refillAt = now + this.periodMs * this.random()
    sandbox.stopped = false
    sandbox.restedAt = Number.NEGATIVE_INFINITY
    sandbox.tickAt = Number.NEGATIVE_INFINITY
  }

  /** It has run for so many core ms. */
  use(sandbox: Sandbox, coreMs: number, now: number): void {
    sandbox.takenMs -= coreMs
    // Too little to make a difference to a time so late.
    if (Math.abs(sandbox.takenMs) < now * 1e-14) sandbox.takenMs = 0
  }

  /** A period that has ended brings a whole quota, nothing of the one before; a stop ends when what is owed is paid. */
  refill(sandbox: Sandbox, now: number): void {
    while (now >= sandbox.refillAt) {
      const missed = sandbox.stopped ? 0 : Math.floor((now - sandbox.refillAt) / this.periodMs)
      sandbox.refillAt += this.periodMs * (1 + missed)
      sandbox.quotaMs = sandbox.vcpus * this.periodMs
      if (this.tickMs === 0) sandbox.takenMs = 0
      if (!sandbox.stopped) continue
      this.take(sandbox, -sandbox.takenMs)
      sandbox.stopped = sandbox.takenMs < -NOTHING_MS
    }
  }

  /** Has something to compute again. */
  wake(sandbox: Sandbox, now: number): void {
    if (sandbox.restedAt === now) {
      // It did not rest: no tick has noticed yet.
      sandbox.stopped = false
      return
    }
    // Its core gave the rest of its slice back when it had nothing to do.
    const moreMs = sandbox.takenMs - this.keepMs
    if (moreMs > 0) {
      sandbox.takenMs = this.keepMs
      sandbox.quotaMs = Math.min(sandbox.quotaMs + moreMs, sandbox.vcpus * this.periodMs)
    }
    // Where a timer has no ticks while nothing runs, nobody knows when the next one is.
    if (now - sandbox.restedAt >= this.tickMs) sandbox.tickAt = now + this.tickMs * this.random()
    if (!sandbox.stopped) this.takeSlice(sandbox)
  }

  /** Has nothing more to compute. What it owes it pays from now on: what a runtime does beside its tasks has to wait, too. */
  rest(sandbox: Sandbox, now: number): void {
    sandbox.restedAt = now
    if (!sandbox.stopped) this.takeSlice(sandbox)
  }

  /** When it owes nothing any more, if nothing else computes. */
  paidAt({ stopped, takenMs, vcpus, refillAt }: Sandbox, now: number): number {
    if (!stopped || this.tickMs === 0) return now
    const periods = Math.max(1, Math.ceil((-takenMs - NOTHING_MS) / (vcpus * this.periodMs)))
    return refillAt + (periods - 1) * this.periodMs
  }

  /** While it computes: may it go on? */
  check(sandbox: Sandbox, now: number): void {
    if (!sandbox.stopped && (this.tickMs === 0 || now >= sandbox.tickAt)) this.takeSlice(sandbox)
  }

  /** When it is to be asked again, at its rate. */
  nextCheck(sandbox: Sandbox, now: number): number {
    if (sandbox.stopped) return sandbox.refillAt
    if (sandbox.rate === 0) return Number.POSITIVE_INFINITY
    const usedUpAt = now + Math.max(0, sandbox.takenMs) / sandbox.rate
    if (this.tickMs === 0) return Math.min(usedUpAt, sandbox.refillAt)
    // The first tick that finds nothing left.
    sandbox.tickAt += this.tickMs * Math.ceil((usedUpAt - sandbox.tickAt) / this.tickMs)
    if (sandbox.tickAt <= now) sandbox.tickAt += this.tickMs
    return sandbox.tickAt
  }

  private takeSlice(sandbox: Sandbox): void {
    if (sandbox.takenMs > NOTHING_MS) return
    this.take(sandbox, this.sliceMs - sandbox.takenMs)
    sandbox.stopped = sandbox.takenMs <= NOTHING_MS
  }

  private take(sandbox: Sandbox, ms: number): void {
    const taken = Math.min(ms, sandbox.quotaMs)
    sandbox.takenMs += taken
    sandbox.quotaMs -= taken
  }
}
