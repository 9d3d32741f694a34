import { FusionizeError } from '../errors.js'
import type { PlainRouter } from './plain-router.js'
import type { Transport } from './protocol.js'
import type { Router } from './router.js'

/** How to be called back after a while, outside a function. */
export function laterOf(router: Router): PlainRouter['later'] | undefined {
  return (router as Partial<PlainRouter>).later
}

export function transportOf({ transport }: Router): Transport {
  if (transport) return transport
  throw new FusionizeError('UNSUPPORTED', 'no platform is connected')
}
