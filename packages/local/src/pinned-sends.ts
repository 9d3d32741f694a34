import { FusionizeError } from 'fusionize'
import { errorToWire, type Outcome } from 'fusionize/runtime'
import type { Deployment } from './engine/deployment.js'
import type { Deployments } from './engine/deployments.js'
import type { AcceptedSend, Sends } from './outbox/index.js'
import type { Send } from './send.js'

/** Keeps the session of every accepted send on the deployment that it began with, until the send is done or dead. */
export class PinnedSends {
  readonly #pinned = new Map<string, { deployment: Deployment; send: Send }>()

  constructor(
    readonly deployments: Deployments,
    readonly sends: Sends,
    /** A send that was done is kept again. */
    readonly renewed: (send: Send) => void,
  ) {}

  /** Sends of an earlier run: their sessions are under way, on their own setup or the current one. */
  adopt(sends: readonly AcceptedSend[]): void {
    for (const send of sends) {
      const deployment = this.deployments.byId(send.setup) ?? this.deployments.current
      if (deployment) this.#pin(send, deployment)
    }
  }

  /** @see EnginePorts.accept */
  async accept(items: readonly Send[], heldBy?: string): Promise<readonly string[]> {
    const accepted = Date.now()
    // Before it is kept: a send may be done before its acceptance is known here.
    const fresh = items.filter((send) => this.#pin(send))
    const release = (ids: readonly string[]) => {
      for (const send of fresh) if (ids.includes(send.id)) this.over(send.id)
    }
    try {
      const kept = items.map((send) => ({ ...send, accepted, attempt: 1 }))
      const known = await this.sends.accept(kept, heldBy)
      if (known.length > 0) release(known)
      return known
    } catch (error) {
      release(items.map((send) => send.id))
      throw error
    }
  }

  /** A send that is accepted, or about to be. */
  find(id: string): Send | undefined {
    return this.#pinned.get(id)?.send
  }

  /** Runs it again, now; under an id of its own when it is done. */
  again(send: Send): void {
    if (this.sends.again(send.id)) return
    this.renewed(send)
    this.accept([{ ...send, id: `${send.id}+` }]).catch(() => {})
  }

  /** Makes it a dead letter. */
  bury(send: Send, error: FusionizeError): void {
    if (this.sends.bury({ ...send, accepted: Date.now(), attempt: 1 }, errorToWire(error))) this.renewed(send)
  }

  /** Runs an accepted send with `run`, on its own setup or, when that is gone, on the current one. */
  async run(send: AcceptedSend, run: (deployment: Deployment) => Promise<Outcome>): Promise<Outcome> {
    const deployment = this.deployments.byId(send.setup) ?? this.deployments.current
    if (deployment) {
      // A dead letter that runs again.
      this.#pin(send, deployment)
      return run(deployment)
    }
    return { ok: false, error: errorToWire(new FusionizeError('UNKNOWN_TASK', 'no setup is deployed')) }
  }

  #pin(send: Send, deployment = this.deployments.byId(send.setup)): boolean {
    if (deployment === undefined || this.#pinned.has(send.id)) return false
    this.#pinned.set(send.id, { deployment, send })
    deployment.enter(send.session)
    return true
  }

  /** It is done or dead, and the journal has that: the end of its session, which may follow, must not come before. */
  over(id: string): void {
    const found = this.#pinned.get(id)
    this.#pinned.delete(id)
    found?.deployment.leave(found.send.session)
  }
}
