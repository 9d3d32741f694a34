import type { HandOverPools } from './hand-over.js'
import type { OwnPools } from './pools.js'
import type { PredictOptions } from './types.js'

/** What may have to be assumed: `variants` has what else could be. */
export type Doubt = 'threads' | 'firstUse' | 'computing'

/** What is assumed where traces do not tell. */
export interface Assumption {
  /** Of work that was not seen at more than one core; absent: between one and two. */
  threads?: 1 | 2
  /** Of `FIRST_USE_CORE_MS`. @default 1 */
  firstUse?: number
  /** Share of own time that scales, of tasks recorded at one size. @default 1 */
  computing?: number
}

/** By doubt, the assumptions at its ends. First use differs by about this much between tasks that do use a client. */
export const variants: Record<Doubt, Assumption[]> = {
  threads: [{ threads: 1 }, { threads: 2 }],
  firstUse: [{ firstUse: 0.7 }, { firstUse: 1.3 }],
  computing: [{ computing: 0 }],
}

/** What was measured, and what is said of it: all that times are worked out from. */
export interface Basis {
  pools: OwnPools
  handOvers: HandOverPools
  options: PredictOptions
  assumption: Assumption
  mbPerCore: number
  periodMs: number
  /** Things that were assumed, in words. */
  assumed: Set<string>
  /** Assumptions that others could stand for. */
  open: Set<Doubt>
}

/** How much longer what the runtime does takes at a size than at another. */
export function slowerAt(mbPerCore: number): (fromMb: number, toMb: number) => number {
  return (fromMb, toMb) => Math.min(fromMb, mbPerCore) / Math.min(toMb, mbPerCore)
}
