import type { Put } from './put.js'

/** Of a session with one put, as most are, that alone. */
type Puts = Put | Map<string, Put>

/** Puts of sessions that need no machine: each under a key of its own, in buckets whose triggers remember nothing. */
export class LightPuts {
  /** A sandbox has one session at a time, mostly: that needs no map. */
  private session: string | undefined
  private puts: Puts | undefined
  private others: Map<string, Puts> | undefined

  has(session: string): boolean {
    return this.of(session) !== undefined
  }

  /** @returns how many the session had before; -1 when one of them has the key, and nothing is done */
  add(put: Put): number {
    const { session, key } = put
    const known = this.of(session)
    if (known === undefined) {
      this.set(session, put)
      return 0
    }
    if (known instanceof Map) {
      if (known.has(key)) return -1
      known.set(key, put)
      return known.size - 1
    }
    if (known.key === key) return -1
    this.set(session, new Map([[known.key, known]]).set(key, put))
    return 1
  }

  get(session: string, key: string): Put | undefined {
    const known = this.of(session)
    if (known instanceof Map) return known.get(key)
    return known?.key === key ? known : undefined
  }

  /** Takes those of the session out, in their order. */
  take(session: string): Iterable<Put> {
    const known = this.of(session)
    if (known === undefined) return none
    this.delete(session)
    return known instanceof Map ? known.values() : [known]
  }

  /** @returns whether it had any */
  delete(session: string): boolean {
    if (this.session !== session) return this.others?.delete(session) === true
    this.session = undefined
    this.puts = undefined
    return true
  }

  private of(session: string): Puts | undefined {
    return this.session === session ? this.puts : this.others?.get(session)
  }

  private set(session: string, puts: Puts): void {
    if (this.session === undefined && !this.others?.has(session)) this.session = session
    if (this.session === session) this.puts = puts
    else {
      this.others ??= new Map()
      this.others.set(session, puts)
    }
  }
}

const none: readonly Put[] = []
