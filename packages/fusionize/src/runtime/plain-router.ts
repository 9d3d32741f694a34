import type { TaskDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import type { BucketOp, Outbound, Outcome, Payload, Transport } from './protocol.js'
import { Router } from './router.js'
import { errorToWire } from './wire-errors.js'

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
        bucket: async (op) => elsewhere(op),
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

/** What is asked of a bucket that is not evaluated here: there is none while the session lasts. */
function elsewhere({ op, bucket, session }: BucketOp): Outcome {
  // A promise to put, or news of a source: nothing is lost here, so nothing is run again.
  if (op !== 'put' && op !== 'declare') return { ok: true, output: undefined }
  const message = `bucket '${bucket}', session '${session}': the session has ended; await every put before the task returns`
  return { ok: false, error: errorToWire(new FusionizeError('SESSION_CLOSED', message, { bucket, session })) }
}
