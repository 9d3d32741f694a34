import type { WireError } from 'fusionize/runtime'
import type { BucketEvent } from '../buckets/events.js'
import type { Send } from '../send.js'

/** A send that the platform has accepted. */
export interface AcceptedSend extends Send {
  /** Epoch ms. */
  accepted: number
  /** Number of the run, from 1. */
  attempt: number
}

/** What happens to sends, as the journal keeps it. */
export type SendEvent =
  | { type: 'accept'; send: Omit<AcceptedSend, 'attempt'> }
  /** A run failed; `used` runs are used up. */
  | { type: 'failed'; id: string; used: number }
  | { type: 'done'; id: string }
  /** The last run failed. `failed`: epoch ms. */
  | { type: 'dead'; id: string; used: number; error: WireError; failed: number }
  /** A dead letter is to be run again, with all its attempts; `session`: that it is of from now on. */
  | { type: 'replay'; id: string; session?: string }
  /** Everything before is void: what follows is all there is. */
  | { type: 'snapshot' }
  /** Sends that were done long ago, the oldest first: known, so that they do not run again. */
  | { type: 'finished'; ids: string[] }
  /** A platform runs the sends from here on, */
  | { type: 'opened' }
  /** and to here: no run was cut short. */
  | { type: 'closed' }
  /** Kept here for buckets, so that a put and what it fires are one write. */
  | BucketEvent
