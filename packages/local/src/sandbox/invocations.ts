import type { HeldSend, InvocationPort, Outcome, Payload } from 'fusionize/runtime'
import type { Channel } from './channel.js'
import * as kind from './kinds.js'
import type { CalleeLink } from './links.js'

/** Posts something that the engine answers once it holds it. */
type Offer = (post: (no: number) => void) => Promise<readonly string[]>

/**
 * @returns what makes the adapter's side of one invocation: tells the engine, or over a link the caller, how it goes; `waited`: somebody
 *   waits for the answer
 */
export function invocationPorts(channel: Channel, offer: Offer) {
  return (job: number | string, waited: boolean, link?: CalleeLink, forget: () => void = () => {}): InvocationPort => {
    let reply: { ok: boolean; parts: Payload[]; next: readonly HeldSend[] } | undefined
    let over = false
    let busy = false
    // What runs no longer than its reply says so with it: one message, and whoever is answered finds this sandbox free.
    const release = () => {
      if (reply === undefined) return
      const { ok, parts, next } = reply
      reply = undefined
      if (link) {
        link.answer(job as string, ok, parts[0], over)
        parts[0] = undefined
        channel.postLater([kind.reply, job, ok, -1, [], over], parts)
      } else if (busy)
        channel[waited ? 'post' : 'postLater']([kind.reply, job, ok, 0, next.map(heldHead), over, true], parts)
      else channel.post([kind.reply, job, ok, 0, next.map(heldHead), over], parts)
    }
    const hold = (code: number, outcome: Outcome, held: HeldSend[], last: unknown) =>
      offer((no) =>
        channel.post(
          [code, job, outcome.ok, no, held.map(heldHead), last],
          [partOf(outcome), ...held.map((item) => item.input)],
        ),
      )
    return {
      reply(outcome, held, next) {
        if (held.length > 0) return hold(kind.reply, outcome, [...held, ...next], false)
        reply = { ok: outcome.ok, parts: [partOf(outcome), ...next.map((item) => item.input)], next }
        process.nextTick(release)
        return undefined
      },
      settled(sendId, outcome, held, next) {
        if (held.length > 0) return hold(kind.settled, outcome, [...held, ...next], sendId)
        channel.postSoon(
          [kind.settled, job, outcome.ok, 0, next.map(heldHead), sendId],
          [partOf(outcome), ...next.map((item) => item.input)],
        )
        return undefined
      },
      done(lines, more) {
        forget()
        busy = more
        if (reply) {
          over = true
          reply.parts.push(lines())
          // What begins next says so after this.
          if (more) release()
          return
        }
        link?.idle()
        if (more) channel.postLater([kind.done, job, true], [lines()])
        else channel.postSoon([kind.done, job], [lines()])
      },
    }
  }
}

function partOf(outcome: Outcome): Payload {
  return outcome.ok ? outcome.output : JSON.stringify(outcome.error)
}

function heldHead(item: HeldSend): unknown[] {
  return [item.id, item.session, item.function, item.task, item.trace, item.parent, item.setup]
}
