import type { Leases } from './leases.js'

/** What only functions that have a bucket in them need, so that all others need not carry it: `bucket()` puts it here. */
export const support: { Leases?: typeof Leases } = {}
