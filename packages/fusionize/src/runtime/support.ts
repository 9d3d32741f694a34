import type { Frame } from './frames.js'
import type { Leases } from './leases.js'

/** What only functions that have a bucket in them need, so that all others need not carry it: `bucket()` puts it here. */
export const support: {
  Leases?: typeof Leases
  /** A signal of its own for a run that is inline in another: a bucket may have it stopped alone. */
  signalOf?: (frame: Frame) => AbortSignal | undefined
  /** Nobody needs the run any more, which may be inline in another. */
  stop?: (invocation: string) => void
} = {}
