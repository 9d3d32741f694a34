import type { Payload } from 'fusionize/runtime'

/** An async invocation on its way to whoever keeps it; see `HeldSend` in `fusionize/runtime`. */
export interface Send {
  id: string
  session: string
  function: string
  task: string
  input: Payload
  trace: string
  /** '' = from outside. */
  parent: string
  setup: string
}
