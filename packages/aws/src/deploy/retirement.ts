import { liveAlias, setupOfAlias } from '../names.js'
import type { Observed } from './observed.js'

/** A setup that is deployed, besides the one that is to serve. */
export interface OldSetup {
  deployed: string
  /** Epoch ms at which another took its place; absent when nobody wrote that down yet. */
  replacedAt?: number
}

/** Setups that stay at least, the serving one included. */
const KEEP_AT_LEAST = 2

const words = /^replaced (\S+)$/

/** What the alias of a setup says of it. */
export function aliasDescription(replacedAt?: number): string {
  return replacedAt === undefined ? 'serves' : `replaced ${new Date(replacedAt).toISOString()}`
}

/** The deployed setups besides the one that is to serve. */
export function oldSetups(observed: Observed, serving: string): OldSetup[] {
  const found = new Map<string, number[]>()
  for (const { aliases } of observed.functions.values())
    for (const [name, { description }] of Object.entries(aliases)) {
      const deployed = name === liveAlias ? undefined : setupOfAlias(name)
      if (deployed === undefined || deployed === serving) continue
      const at = Date.parse(words.exec(description)?.[1] ?? '')
      found.set(deployed, [...(found.get(deployed) ?? []), ...(Number.isNaN(at) ? [] : [at])])
    }
  return [...found].map(([deployed, times]) => ({
    deployed,
    ...(times.length > 0 && { replacedAt: Math.max(...times) }),
  }))
}

/** Of old setups, those that can have no sessions any more; the latest stays whatever its age. @param now epoch ms */
export function retired(old: readonly OldSetup[], now: number, keepMs: number): string[] {
  const at = ({ replacedAt = now }: OldSetup) => replacedAt
  return [...old]
    .sort((a, b) => at(b) - at(a) || (a.deployed < b.deployed ? -1 : 1))
    .slice(KEEP_AT_LEAST - 1)
    .filter((one) => now - at(one) > keepMs)
    .map(({ deployed }) => deployed)
    .sort()
}
