import type { HeldSend } from 'fusionize/runtime'
import { calleeOf } from './callee.js'
import { type Envelope, sendOf } from './envelope.js'
import type { Environment } from './environment.js'
import { send } from './lambda.js'
import { SEND_BYTES } from './limits.js'
import type { ObjectStore } from './object-store.js'
import { seal } from './seal.js'
import type { Service } from './service.js'

/** Ms in which held work must have been handed over. */
const HAND_OVER_MS = 30_000

/** Work that was held in this function, as an invocation of its own elsewhere. */
export interface HandOver {
  /** As it would be asked for. */
  envelope(held: HeldSend): Promise<Envelope>
  /**
   * Resolves once Lambda has it.
   * @param attempt of the run that it will be
   * @param deployed whose function runs it; absent: of this deployment
   */
  handOver(held: HeldSend, attempt: number, deployed?: string): Promise<void>
}

export function handOver(environment: Environment, lambda: Service, store: ObjectStore): HandOver {
  async function envelopeBy(held: HeldSend, deadline: number): Promise<Envelope> {
    const input = await seal(held.input, SEND_BYTES, store, deadline)
    return sendOf(held, input)
  }

  return {
    envelope: (held) => envelopeBy(held, Date.now() + HAND_OVER_MS),
    async handOver(held, attempt, deployed = environment.deployed) {
      const deadline = Date.now() + HAND_OVER_MS
      const envelope = { ...(await envelopeBy(held, deadline)), ...(attempt > 1 && { attempt }) }
      await send(lambda, calleeOf({ ...environment, deployed }, held.function), envelope, deadline)
    },
  }
}
