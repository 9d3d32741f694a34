import { bucket } from 'fusionize'

/** What the receiver saw of a payload. */
export interface Arrival {
  /** From the start of its put to the receiver's first statement. */
  us: number
  bytes: number
  /** Its memory can be shared. */
  shared: boolean
}

export const arrivals = bucket<Arrival>('arrivals')
