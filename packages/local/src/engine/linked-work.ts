import { Job } from './job.js'
import type { BeganHead, Sandbox } from './sandbox.js'

export interface LinkedPorts {
  find(sandbox: string): Sandbox | undefined
  /** Limit of a task in the sandbox, ms. */
  limitMs(sandbox: Sandbox, task: string): number
  /** Counts the job until it is over. */
  admit(job: Job): void
  /** Minds its deadline. */
  mind(job: Job): void
  abandon(job: Job): void
  runsSend(
    sandbox: Sandbox,
    no: string,
    send: { id: string; session: string; task: string; trace: string; parent: string },
  ): void
  /** The send will not run there. */
  release(send: string, sandbox: string): void
}

/**
 * What went over links, past the engine: callees tell when it begins and ends, callers when it takes long or when they lost the link.
 * Each word may come late, or after the other's (`sandbox/links.ts`).
 */
export class LinkedWork {
  /** Calls given up before their callee, by id, said that they began. */
  readonly #givenUp = new Map<string, Set<string>>()

  constructor(readonly ports: LinkedPorts) {}

  began(sandbox: Sandbox, head: BeganHead): void {
    const [, no, id, session, task, deadline, trace, parent, mode] = head
    if (mode === 'send') {
      sandbox.lastSend = id
      this.ports.runsSend(sandbox, no, { id, session, task, trace, parent })
      return
    }
    const at = no.lastIndexOf(':')
    const caller = this.ports.find(no.slice(0, at))
    const call = Number(no.slice(at + 1))
    // Told by its caller before: numbers ascend.
    if (caller !== undefined && (caller.begun.get(sandbox.id) ?? 0) >= call) return
    const limitMs = this.ports.limitMs(sandbox, task)
    const request = { id, session, task, external: false, attempt: 1, deadline, limitMs, trace, parent }
    const job = new Job(no, { ...request, input: undefined, mode: 'call' }, sandbox.pool, true, (ok, part) =>
      caller?.result(call, ok, part),
    )
    job.caller = caller
    caller?.begun.set(sandbox.id, call)
    this.ports.admit(job)
    sandbox.runs(job)
    this.ports.mind(job)
    if (caller && !this.#givenUp.get(sandbox.id)?.delete(no)) caller.calling(call, job)
    else this.ports.abandon(job)
  }

  /** A callee of the caller takes long with a call of which it may have said nothing yet. */
  overdue(caller: Sandbox, callee: string, head: BeganHead): void {
    const sandbox = this.ports.find(callee)
    if (sandbox?.lentTo === caller) this.began(sandbox, head)
  }

  /** A call is given up before its callee said that it began. */
  abandonEarly(caller: Sandbox, no: number, callee: string): void {
    const other = this.ports.find(callee)
    if (other?.lentTo !== caller) return
    const given = this.#givenUp.get(callee) ?? new Set()
    this.#givenUp.set(callee, given.add(`${caller.id}:${no}`))
  }

  /** The link was taken back before the caller heard that a send over it is done. */
  unsent(callee: string, id: string): void {
    if (this.ports.find(callee)?.lastSend !== id) this.ports.release(id, callee)
  }

  /** The link was taken back before the caller had the call's answer. @returns false when the call must be run elsewhere */
  settled(caller: Sandbox, no: number, callee: string): boolean {
    // All that the callee began is known: a link is taken back only then. What began is answered, if only by an error.
    if (caller.begun.get(callee) === no) {
      if (caller.calls.get(no) === undefined) caller.called(no)
      return true
    }
    const death = caller.bereft.get(callee)
    if (death === undefined) return false
    caller.result(no, false, death)
    return true
  }

  forget(sandbox: Sandbox): void {
    this.#givenUp.delete(sandbox.id)
  }
}
