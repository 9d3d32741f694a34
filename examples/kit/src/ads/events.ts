import { adsPerCampaign, campaigns } from './campaigns.js'

export const eventTypes = ['view', 'click', 'purchase'] as const
export type EventType = (typeof eventTypes)[number]

/** What somebody did with an ad. */
export interface AdEvent {
  /** Unique. */
  id: string
  type: EventType
  ad: string
  user: string
  page: string
}

/**
 * The events from number `first` on. An event depends on the seed and its number only; types and ads are drawn evenly, as in the published
 * benchmark.
 */
export function adEvents({ seed, first = 0, count }: { seed: number; first?: number; count: number }): AdEvent[] {
  return Array.from({ length: count }, (_, i) => adEvent(seed, first + i))
}

function adEvent(seed: number, number: number): AdEvent {
  const draw = draws(seed, number)
  return {
    id: `${seed}-${number}`,
    type: eventTypes[draw(eventTypes.length)] as EventType,
    ad: `ad-${draw(campaigns * adsPerCampaign)}`,
    user: `user-${draw(1_000)}`,
    page: `page-${draw(100)}`,
  }
}

/** Whole numbers below what is asked for, that follow from the seed and the number alone (SplitMix32). */
function draws(seed: number, number: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35)
  return (below) => {
    state = (state + 0x9e3779b9) | 0
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return Math.floor((((x ^ (x >>> 15)) >>> 0) / 2 ** 32) * below)
  }
}
