import { bucket, byTime } from 'fusionize'
import type { Booked } from '../lib/booked'
import { windowMs } from '../lib/settings'
import count from '../tasks/count'

/** Events to count, by their id. */
export const events = bucket<Booked>('events').on(byTime(windowMs()), count)
