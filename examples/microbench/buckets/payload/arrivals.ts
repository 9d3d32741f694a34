import { bucket } from 'fusionize'
import type { Arrival } from '../../lib/payload'

export const payloadArrivals = bucket<Arrival>('payload-arrivals')
