import { randomBytes } from 'node:crypto'

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** Who a request is from: the one who deploys, who may do all, or a function by its role. */
export type Principal = { kind: 'administrator'; arn: string } | { kind: 'role'; arn: string; role: string }

interface Known {
  credentials: Credentials
  principal: Principal
  expired: boolean
}

/**
 * The access keys that the double gave out.
 * Not imitated: a session's own end after some hours (`expire` ends it), AssumeRole, users, several accounts.
 */
export class Principals {
  readonly administrator: Credentials
  readonly #account: string
  readonly #known = new Map<string, Known>()

  constructor(account: string) {
    this.#account = account
    this.administrator = this.#add('AKIA', { kind: 'administrator', arn: `arn:aws:iam::${account}:user/tests` })
  }

  /** New temporary credentials of a role, for one execution environment. */
  ofRole(role: string, session: string): Credentials {
    const arn = `arn:aws:sts::${this.#account}:assumed-role/${role}/${session}`
    return this.#add('ASIA', { kind: 'role', arn, role })
  }

  find(accessKeyId: string): Known | undefined {
    return this.#known.get(accessKeyId)
  }

  /** From now on these credentials are refused as expired, or no longer with `false`. */
  expire(accessKeyId: string, expired = true): void {
    const known = this.#known.get(accessKeyId)
    if (!known) throw new Error(`The double knows no access key ${accessKeyId}`)
    known.expired = expired
  }

  #add(kind: 'AKIA' | 'ASIA', principal: Principal): Credentials {
    const credentials: Credentials = {
      accessKeyId: kind + randomBytes(8).toString('hex').toUpperCase(),
      secretAccessKey: randomBytes(30).toString('base64'),
      // Real tokens have the characters of base64, which a signer must not encode twice.
      ...(kind === 'ASIA' ? { sessionToken: randomBytes(300).toString('base64') } : {}),
    }
    this.#known.set(credentials.accessKeyId, { credentials, principal, expired: false })
    return credentials
  }
}
