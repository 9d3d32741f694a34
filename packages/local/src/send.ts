import type { HeldSend } from 'fusionize/runtime'

/** An async invocation on its way to whoever keeps it; its `parent` is '' when it comes from outside. */
export type Send = Omit<HeldSend, 'given'>
