import type { TaskDefinition } from '../definition.js'
import type { Outbound, Payload, Transport } from './protocol.js'
import { Router } from './router.js'

/** Routes for tasks that run outside a function: everything is here. */
export class PlainRouter extends Router {
  constructor(
    private readonly runLater: (definition: TaskDefinition, request: Outbound) => void,
    result: (session: string, value: Payload) => void,
    /** Calls back after a while: buckets with a clock have no other. @returns how to call it off */
    readonly later: (ms: number, then: () => void) => () => void,
  ) {
    super(
      { function: 'plain', inline: { call: [], send: [], map: [] }, leaves: [] },
      [],
      { setup: 'plain', timeoutMs: 2 ** 31 - 1, dev: true },
      {
        result,
        // Only a promise to put, or news of a source: nothing is lost here, so nothing is run again.
        bucket: async () => ({ ok: true, output: undefined }),
        log: () => {},
      } as Pick<Transport, 'result' | 'bucket' | 'log'> as Transport,
    )
  }

  override async send(definition: TaskDefinition, request: Outbound): Promise<void> {
    this.runLater(definition, request)
  }

  protected override route(): 'inline' {
    return 'inline'
  }
}
