import type { Put } from './put.js'

/** Puts of sessions that need no machine: each under a key of its own, in buckets whose triggers remember nothing. */
export class LightPuts {
  /** A session with one put, as most are, has no map for it. */
  private readonly bySession = new Map<string, Put | Map<string, Put>>()

  has(session: string): boolean {
    return this.bySession.size > 0 && this.bySession.has(session)
  }

  /** @returns how many the session had before; -1 when one of them has the key, and nothing is done */
  add(put: Put): number {
    const { session, key } = put
    const known = this.bySession.get(session)
    if (known === undefined) {
      this.bySession.set(session, put)
      return 0
    }
    if (known instanceof Map) {
      if (known.has(key)) return -1
      known.set(key, put)
      return known.size - 1
    }
    if (known.key === key) return -1
    this.bySession.set(session, new Map([[known.key, known]]).set(key, put))
    return 1
  }

  get(session: string, key: string): Put | undefined {
    const known = this.bySession.get(session)
    if (known instanceof Map) return known.get(key)
    return known?.key === key ? known : undefined
  }

  /** Takes those of the session out, in their order. */
  take(session: string): Iterable<Put> {
    const known = this.bySession.get(session)
    if (known === undefined) return none
    this.bySession.delete(session)
    return known instanceof Map ? known.values() : [known]
  }

  /** @returns whether it had any */
  delete(session: string): boolean {
    return this.bySession.delete(session)
  }
}

const none: readonly Put[] = []
