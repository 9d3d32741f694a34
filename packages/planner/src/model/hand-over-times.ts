import { quantile } from '../statistics/bootstrap.js'
import { type Basis, slowerAt } from './basis.js'
import {
  clientSetUpsOf,
  type HandOverKind,
  keyOf,
  kindKeyOf,
  publishedHandOver,
  sizesIn,
  warmHandOvers,
} from './hand-over.js'
import { FEW, rankIn } from './pools.js'
import { remembered } from './remembered.js'
import type { Tree } from './tree.js'

/** A hand-over as it was recorded. */
export interface RecordedHandOver {
  ms: number
  kind: HandOverKind
  /** What it belongs to: what it comes to in a state at a size is worked out once. */
  step: object
}

/** What it takes to reach another function, at the caller's size. */
export interface HandOverTimes {
  /** @param at 0…1 place in its distribution where `recorded` says nothing */
  handOver(kind: HandOverKind, recorded: RecordedHandOver | undefined, at: number): number
  clientSetUp(memoryMb: number): number
}

export function handOverTimes({ handOvers, mbPerCore, assumed }: Basis, trees: readonly Tree[]): HandOverTimes {
  const slower = slowerAt(mbPerCore)
  const clientSetUps = clientSetUpsOf(trees)
  const clientSetUp = (memoryMb: number): number => {
    const known = clientSetUps.get(memoryMb)
    if (known !== undefined) return known
    for (const [mb, ms] of clientSetUps) return ms * slower(mb, memoryMb)
    return 0
  }

  const warmOnce = remembered((key: string) => {
    const [mode, fromMb, toMb] = JSON.parse(key) as [HandOverKind['mode'], number, number]
    const said = new Set<string>()
    return { ...warmHandOvers(handOvers, mode, fromMb, toMb, mbPerCore, said), said }
  })
  const warm = (mode: HandOverKind['mode'], fromMb: number, toMb: number) => {
    const found = warmOnce(JSON.stringify([mode, fromMb, toMb]))
    for (const text of found.said) assumed.add(text)
    return found
  }

  const sizesOnce = remembered((key: string) => {
    const [kind, first] = JSON.parse(key) as [HandOverKind, number | null]
    return sizesIn(handOvers, kind, first ?? undefined)
  })
  /** Who calls whom does not matter for the sizes. */
  const sizesFor = ({ mode, callerCold, calleeCold }: HandOverKind, first: number | undefined) =>
    sizesOnce(JSON.stringify([{ mode, callerCold, calleeCold }, first ?? null]))

  const handOverOf = (kind: HandOverKind, recorded: RecordedHandOver | undefined, at: number): number => {
    const fromMb = recorded?.kind.memoryMb
    const place = recorded ? rankIn(handOvers.get(keyOf(recorded.kind)) ?? [], recorded.ms) : at
    for (const key of [keyOf(kind), kindKeyOf(kind)]) {
      const pool = handOvers.get(key)
      if (pool && pool.length >= FEW) return quantile(pool, place)
    }
    // In this state at another size, else in the state that was recorded.
    const states: HandOverKind[] = [
      kind,
      ...(recorded ? [recorded.kind] : []),
      { ...kind, callerCold: false, calleeCold: false },
    ]
    for (const state of states)
      for (const mb of sizesFor(state, fromMb)) {
        const other = { ...state, memoryMb: mb }
        const pool = handOvers.get(keyOf(other)) ?? handOvers.get(kindKeyOf(other)) ?? []
        if (pool.length === 0) continue
        const ms = quantile(pool, place)
        const { fromMs, toMs } = warm(kind.mode, mb, kind.memoryMb)
        // Who sends waits for no start-up.
        if (!state.calleeCold || kind.mode === 'send') return (ms * toMs) / fromMs
        // A start-up gets the same CPU at every size (AWS Lambda); only the hand-over around it, and the caller's client, are as fast as the size.
        const setUpMs = state.callerCold ? clientSetUp(mb) - clientSetUp(kind.memoryMb) : 0
        return Math.max(toMs, ms - (fromMs - toMs) - setUpMs)
      }
    assumed.add(`no hand-over of a ${kind.mode} was recorded: taken from published measurements (PAPERS §1)`)
    return publishedHandOver(kind.mode, kind.memoryMb, mbPerCore)
  }

  return { handOver: handOverOf, clientSetUp }
}
