import { campaignOf } from './campaigns.js'
import type { AdEvent, EventType } from './events.js'

/** What was counted in one window. */
export interface WindowCount {
  /** Ids of the events in it. */
  events: string[]
  /** Events by campaign. */
  campaigns: Record<string, number>
}

/** What a correct count of these events adds up to, by campaign. */
export function countByCampaign(events: Iterable<AdEvent>, types: readonly EventType[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { type, ad } of events) {
    const campaign = campaignOf(ad)
    if (types.includes(type) && campaign !== undefined) counts[campaign] = (counts[campaign] ?? 0) + 1
  }
  return counts
}

/**
 * Whether each event of the types is in exactly one window, and no other is, and whether the windows' counts add up to the events' own.
 * @returns what is wrong, one sentence each; empty when nothing is
 */
export function checkWindows(
  events: readonly AdEvent[],
  types: readonly EventType[],
  windows: readonly WindowCount[],
): string[] {
  const times = new Map(
    events.filter(({ type, ad }) => types.includes(type) && campaignOf(ad) !== undefined).map(({ id }) => [id, 0]),
  )
  const strange: string[] = []
  for (const id of windows.flatMap((window) => window.events)) {
    const before = times.get(id)
    if (before === undefined) strange.push(id)
    else times.set(id, before + 1)
  }
  const lost = [...times].filter(([, n]) => n === 0).map(([id]) => id)
  const repeated = [...times].filter(([, n]) => n > 1).map(([id]) => id)
  return [
    ...found(lost, 'in no window'),
    ...found(repeated, 'in a window more than once'),
    ...found(strange, 'in a window, but not among the events to count'),
    ...wrongCounts(countByCampaign(events, types), windows),
  ]
}

function found(ids: string[], where: string): string[] {
  if (ids.length === 0) return []
  return [`${ids.length} events are ${where}: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', …' : ''}`]
}

function wrongCounts(expected: Record<string, number>, windows: readonly WindowCount[]): string[] {
  const counted: Record<string, number> = {}
  for (const window of windows)
    for (const [campaign, n] of Object.entries(window.campaigns)) counted[campaign] = (counted[campaign] ?? 0) + n
  return [...new Set([...Object.keys(expected), ...Object.keys(counted)])].sort().flatMap((campaign) => {
    const [should, is] = [expected[campaign] ?? 0, counted[campaign] ?? 0]
    return should === is ? [] : [`${campaign}: ${should} events expected, ${is} counted`]
  })
}
