import { FusionizeError } from 'fusionize'
import type { Deployment } from './deployment.js'

/** Superseded deployments kept, so that `traffic` can go back to them and late retries find their setup. */
const KEPT = 32

/** The deployed setups: which take new sessions, and which only finish theirs. */
export class Deployments {
  /** Oldest first; the setup's id may occur twice, when its code changed. */
  #all: Deployment[] = []

  constructor(
    /** Called when a deployment has no sessions and takes no new ones. */
    readonly retire: (deployment: Deployment) => void,
  ) {}

  /** All that are not forgotten, those that take new sessions first. */
  get all(): readonly Deployment[] {
    return [...this.#all].reverse().sort((a, b) => b.weight - a.weight)
  }

  get current(): Deployment | undefined {
    return this.all[0]
  }

  /** The newest deployment of the setup. */
  byId(setup: string): Deployment | undefined {
    return this.#all.findLast((deployment) => deployment.id === setup)
  }

  add(deployment: Deployment): void {
    deployment.onIdle = () => this.#retireIfDone(deployment)
    this.#all.push(deployment)
    this.traffic({ [deployment.id]: 1 })
    const gone = this.#all.filter((other) => other.weight === 0 && other.sessions.size === 0)
    for (const old of gone.slice(0, Math.max(0, gone.length - KEPT))) this.#all.splice(this.#all.indexOf(old), 1)
  }

  /**
   * Gives each setup its share of new sessions; all others get none.
   * @throws {FusionizeError} `INVALID_SETUP` for a setup that is not deployed, or weights that are no shares
   */
  traffic(weights: Record<string, number>): void {
    const shares = Object.entries(weights)
    for (const [id, weight] of shares) {
      if (!this.byId(id))
        throw new FusionizeError('INVALID_SETUP', `setup ${id} is not deployed; deploy it before it can have traffic`)
      if (!(weight >= 0) || !Number.isFinite(weight))
        throw new FusionizeError('INVALID_SETUP', `the weight of setup ${id} is ${weight}; weights are numbers from 0`)
    }
    if (!shares.some(([, weight]) => weight > 0))
      throw new FusionizeError('INVALID_SETUP', 'no setup would take new sessions; give at least one a weight above 0')
    for (const deployment of this.#all) deployment.weight = 0
    for (const [id, weight] of shares) (this.byId(id) as Deployment).weight = weight
    for (const deployment of this.#all) this.#retireIfDone(deployment)
  }

  /** Where the session runs: where it is under way, else by the weights (the same session id always goes the same way). */
  forSession(session: string): Deployment | undefined {
    const taking = this.#all.filter((deployment) => deployment.weight > 0)
    if (taking.length === 1 && this.#all.length === 1) return taking[0]
    const underWay = this.#all.find((deployment) => deployment.sessions.has(session))
    return underWay ?? pick(taking, session)
  }

  #retireIfDone(deployment: Deployment): void {
    if (deployment.weight === 0 && deployment.sessions.size === 0) this.retire(deployment)
  }
}

function pick(deployments: readonly Deployment[], session: string): Deployment | undefined {
  const total = deployments.reduce((sum, deployment) => sum + deployment.weight, 0)
  let rest = share(session) * total
  for (const deployment of deployments) {
    rest -= deployment.weight
    if (rest < 0) return deployment
  }
  return deployments.at(-1)
}

/** FNV-1a with a final mix, as a number in [0, 1): even for ids that differ in one character. */
function share(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
