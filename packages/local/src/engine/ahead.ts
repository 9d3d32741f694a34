import type { Deployment } from './deployment.js'
import type { Pool } from './pool.js'

/** Sandboxes of a function to start before the request needs them. */
export interface Ahead {
  pool: Pool
  /** From the request's arrival. */
  afterMs: number
}

/** Whether the setup starts anything ahead (`prewarm`). */
export function startsAhead({ build }: Deployment): boolean {
  return Object.values(build.setup.functions).some(({ prewarm }) => Object.keys(prewarm ?? {}).length > 0)
}

/**
 * What the arrival of a request at a task starts ahead (BASELINES, `orion` 4): what the functions say that it can come to, and of several delays the shortest.
 */
export function aheadOf(deployment: Deployment, task: string): Ahead[] {
  const { app, setup } = deployment.build
  const reached = new Set([task])
  for (const from of reached) for (const edge of app.edges) if (edge.from === from) reached.add(edge.to)
  const delays = new Map<string, number>()
  for (const fn of reached)
    for (const [to, ms] of Object.entries(setup.functions[fn]?.prewarm ?? {}))
      delays.set(to, Math.min(ms, delays.get(to) ?? Number.POSITIVE_INFINITY))
  return [...delays].flatMap(([to, afterMs]) => {
    const pool = deployment.pools.get(to)
    return pool ? [{ pool, afterMs }] : []
  })
}

/** How many invocations of a function one request has under way at most, as seen so far. */
export class Width {
  readonly #open = new Map<string, number>()
  /** 1 before the first. */
  most = 1

  enter(session: string): void {
    const open = (this.#open.get(session) ?? 0) + 1
    this.#open.set(session, open)
    this.most = Math.max(this.most, open)
  }

  /** How many the request may yet have besides those that it has under way. */
  yet(session: string): number {
    return this.most - (this.#open.get(session) ?? 0)
  }

  leave(session: string): void {
    const open = (this.#open.get(session) ?? 1) - 1
    if (open > 0) this.#open.set(session, open)
    else this.#open.delete(session)
  }
}
