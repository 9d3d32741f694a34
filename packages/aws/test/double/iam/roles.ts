import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.js'
import { isAssumableBy, type PolicyDocument } from './policy.js'

export interface Role {
  name: string
  id: string
  arn: string
  description: string
  createdMs: number
  trust: string
  maxSessionSeconds: number
  tags: Map<string, string>
  /** Inline policies, as JSON text by name. */
  policies: Map<string, string>
}

/** The roles that exist. */
export class RoleStore {
  readonly roles = new Map<string, Role>()
  /** How long a new role stays unknown to other services, ms: IAM spreads changes over some seconds. */
  propagationMs: number
  readonly #account: string
  readonly #clock: Clock

  constructor(account: string, clock: Clock, propagationMs: number) {
    this.#account = account
    this.#clock = clock
    this.propagationMs = propagationMs
  }

  create(name: string, trust: string, description: string, maxSessionSeconds: number): Role {
    const role: Role = {
      name,
      id: `AROA${randomBytes(8).toString('hex').toUpperCase()}`,
      arn: `arn:aws:iam::${this.#account}:role/${name}`,
      description,
      createdMs: this.#clock.now(),
      trust,
      maxSessionSeconds,
      tags: new Map(),
      policies: new Map(),
    }
    this.roles.set(name, role)
    return role
  }

  byArn(arn: string): Role | undefined {
    return this.roles.get(arn.split('/').at(-1) ?? '')
  }

  /** Whether a service can take the role now. */
  isAssumable(arn: string, service: string): boolean {
    const role = this.byArn(arn)
    if (!role || role.arn !== arn || this.#clock.now() - role.createdMs < this.propagationMs) return false
    return isAssumableBy(JSON.parse(role.trust) as PolicyDocument, service)
  }

  policiesOf(name: string): PolicyDocument[] {
    return [...(this.roles.get(name)?.policies.values() ?? [])].map((text) => JSON.parse(text) as PolicyDocument)
  }
}
