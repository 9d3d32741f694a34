import type { Outcome } from 'fusionize/runtime'
import type { Send } from './engine/engine.js'

type AcceptedSend = Send & { accepted: number; attempt: number }

/** Sends held in memory, retried at once; until the journal is there. */
export function memorySends(options: { retries: number; run(send: AcceptedSend): Promise<Outcome> }) {
  const open = new Map<string, { send: AcceptedSend; heldBy?: string }>()
  const idle: (() => void)[] = []
  const done = (id: string) => {
    open.delete(id)
    if (open.size === 0) for (const then of idle.splice(0)) then()
  }
  const run = async (send: AcceptedSend): Promise<void> => {
    const outcome = await options.run(send)
    if (outcome.ok || send.attempt > options.retries) return done(send.id)
    return run({ ...send, attempt: send.attempt + 1 })
  }
  return {
    async accept(items: AcceptedSend[], heldBy?: string): Promise<string[]> {
      const known = items.filter((item) => open.has(item.id)).map((item) => item.id)
      for (const send of items) {
        if (open.has(send.id)) continue
        open.set(send.id, { send, heldBy })
        if (heldBy === undefined) void run(send)
      }
      return known
    },
    settled(id: string, outcome: Outcome): void {
      const item = open.get(id)
      if (item === undefined) return
      item.heldBy = undefined
      if (outcome.ok || item.send.attempt > options.retries) done(id)
      else void run({ ...item.send, attempt: item.send.attempt + 1 })
    },
    orphan(heldBy: string): void {
      for (const item of open.values()) {
        if (item.heldBy !== heldBy) continue
        item.heldBy = undefined
        void run(item.send)
      }
    },
    drained: () => (open.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => idle.push(resolve))),
    deadLetters: () => [],
    replay: () => 0,
    stats: () => ({ pending: open.size, retrying: 0, dead: 0 }),
    close: async () => {},
  }
}
