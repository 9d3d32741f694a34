import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import * as kind from '../sandbox/kinds.js'
import { RING_BYTES } from '../sandbox/ring.js'
import type { LinkRings } from '../sandbox/ring-port.js'
import type { Job } from './job.js'
import type { Sandbox } from './sandbox.js'

/** Ms after a link was taken back for others in which the function lends none. */
const PAUSE_MS = 1000

/** What the two ends of a link share. */
function newRings(): [LinkRings, LinkRings] {
  const [one, other] = [new SharedArrayBuffer(RING_BYTES), new SharedArrayBuffer(RING_BYTES)]
  return [
    { out: one, into: other },
    { out: other, into: one },
  ]
}

/**
 * Lends sandboxes to callers that call the same function again and again, so that the calls need not pass through the engine (see
 * `sandbox/links.ts`). The engine stays in charge: it says who lends to whom, hears of every call that begins and ends, and takes a
 * sandbox back as soon as somebody else needs it.
 */
export class Links {
  #dir: string | undefined
  #pauses = new Map<object, number>()
  /** For sandboxes that are to come back: they may block and have said nothing of what they run. */
  readonly #awaited = new Map<Sandbox, NodeJS.Timeout>()

  constructor(
    /** Limit of the function's own task, ms. */
    readonly timeoutOf: (sandbox: Sandbox) => number,
    /** A sandbox that nothing is known to run in has not come back in the time of its longest task. */
    readonly stuck: (sandbox: Sandbox) => void,
    /** That time, ms. */
    readonly longestMs: (sandbox: Sandbox) => number,
  ) {}

  /** After the job: lends its sandbox to the job's caller if that has called last time, too. */
  lend(sandbox: Sandbox, job: Job): boolean {
    const { caller } = job
    const { pool } = sandbox
    const again = caller !== undefined && pool.lastCaller === caller
    pool.lastCaller = caller
    if (!again || !this.#may(sandbox, caller)) return false
    const head = [kind.lend, pool.function, sandbox.id, this.timeoutOf(sandbox)] as const
    if (sandbox.host?.postPort && caller.host?.postPort) {
      const { port1, port2 } = new MessageChannel()
      const [ring1, ring2] = sandbox.host.spins && caller.host.spins ? newRings() : []
      sandbox.host.postPort([kind.linked, ++sandbox.token], port2, ring2)
      caller.host.postPort([...head, null], port1, ring1)
    } else if (sandbox.listening === 'yes') {
      sandbox.host?.channel.post([kind.linked, ++sandbox.token])
      caller.host?.channel.post([...head, this.#path(sandbox), sandbox.token])
    } else {
      if (sandbox.listening === 'no') sandbox.host?.channel.post([kind.listen, this.#path(sandbox)])
      sandbox.listening = 'asked'
      return false
    }
    sandbox.lentTo = caller
    caller.borrowed.set(pool.function, sandbox)
    pool.lent.add(sandbox)
    return true
  }

  /** Takes the sandbox back; it answers `revoked`. */
  revoke(sandbox: Sandbox): void {
    if (sandbox.lentTo === undefined || sandbox.revoking) return
    sandbox.revoking = true
    sandbox.pool.revoking++
    this.#pauses.set(sandbox.pool, Date.now() + PAUSE_MS)
    // The callee counts along, so that a caller that comes late is not taken for the next.
    sandbox.token++
    sandbox.host?.channel.post([kind.revoke])
    const late = () => sandbox.jobs.size === 0 && this.stuck(sandbox)
    this.#awaited.set(sandbox, setTimeout(late, Math.min(this.longestMs(sandbox), 2 ** 31 - 1)).unref())
  }

  /** The sandbox is nobody's any more. */
  returned(sandbox: Sandbox): void {
    const { pool, lentTo } = sandbox
    if (lentTo === undefined) return
    clearTimeout(this.#awaited.get(sandbox))
    this.#awaited.delete(sandbox)
    if (sandbox.revoking) pool.revoking--
    sandbox.revoking = false
    sandbox.lentTo = undefined
    pool.lent.delete(sandbox)
    if (lentTo.borrowed.get(pool.function) === sandbox) lentTo.borrowed.delete(pool.function)
    if (lentTo.state !== 'ended') lentTo.host?.channel.post([kind.unlent, pool.function, sandbox.id])
  }

  close(): void {
    for (const timer of this.#awaited.values()) clearTimeout(timer)
    if (this.#dir) rmSync(this.#dir, { recursive: true, force: true })
  }

  #may(sandbox: Sandbox, caller: Sandbox): boolean {
    const { pool } = sandbox
    const { forceCold, emulation } = pool.deployment
    return (
      pool.concurrency === 1 &&
      !forceCold &&
      emulation === undefined &&
      caller.pool.passing === undefined &&
      pool.queued === 0 &&
      sandbox.jobs.size === 0 &&
      sandbox.lentTo === undefined &&
      sandbox !== caller &&
      caller.state === 'ready' &&
      caller.endedFor === undefined &&
      !caller.borrowed.has(pool.function) &&
      (this.#pauses.get(pool) ?? 0) < Date.now()
    )
  }

  #path(sandbox: Sandbox): string {
    if (process.platform === 'win32') return `\\\\.\\pipe\\fusionize-${sandbox.id}`
    if (this.#dir === undefined || !existsSync(this.#dir)) this.#dir = mkdtempSync(join(tmpdir(), 'fusionize-'))
    return join(this.#dir, sandbox.id)
  }
}
