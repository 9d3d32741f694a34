import { type EventType, eventTypes } from '@fusionize/example-kit/ads'

/** Length of a window in ms: `AD_EVENTS_WINDOW_MS`, by default a second. */
export function windowMs(): number {
  return Number(process.env.AD_EVENTS_WINDOW_MS ?? 1_000)
}

/** The types that are counted: `AD_EVENTS_TYPES`, separated by commas, by default views only. */
export function countedTypes(): EventType[] {
  const names = (process.env.AD_EVENTS_TYPES ?? 'view').split(',')
  const unknown = names.find((name) => !eventTypes.some((type) => type === name))
  if (unknown !== undefined)
    throw new RangeError(`AD_EVENTS_TYPES names '${unknown}'; types are ${eventTypes.join(', ')}`)
  return names as EventType[]
}
