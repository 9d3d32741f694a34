import type { HeldSend } from 'fusionize/runtime'
import type { Sealed } from './envelope.js'
import type { ObjectStore } from './object-store.js'
import { open, seal } from './seal.js'
import { expiresIn, type Table } from './table.js'

/** Work that replies leave behind, kept in the app's table until it is over. */
export interface Holds {
  /** Resolves once the work would survive this sandbox. @returns what to call it */
  keep(sends: readonly HeldSend[]): Promise<string>
  letGo(names: readonly string[]): Promise<void>
  /** Hands on what sandboxes that are gone have left. @returns how many sends */
  sweep(handOn: (send: HeldSend) => Promise<void>): Promise<number>
}

/** Bytes of inputs in an item, which may have 400 kB ("Quotas", Amazon DynamoDB Developer Guide). */
const ITEM_BYTES = 200_000
/** Ms in which the table must answer. */
const ANSWER_MS = 10_000
/** Days after which an item goes by itself, done or not: no work waits for so long. */
const EXPIRE_DAYS = 14

/**
 * @param fn the function whose work it is
 * @param longestMs after which whoever held it is over
 */
export function holdsOf(fn: string, table: Table, store: ObjectStore, longestMs: number): Holds {
  const pk = `hold#${fn}`
  let count = 0
  const soon = () => Date.now() + ANSWER_MS
  return {
    async keep(sends) {
      const deadline = soon()
      const limit = ITEM_BYTES / sends.length
      const sealed = await Promise.all(
        sends.map(async ({ known: _, input, ...send }) => ({
          ...send,
          input: await seal(input, limit, store, deadline),
        })),
      )
      const name = `${sortable(Date.now() + longestMs)}#${sends[0]?.id}#${++count}`
      const expires = expiresIn(EXPIRE_DAYS)
      await table.put({ pk, sk: name, sends: JSON.stringify(sealed), expires }, deadline)
      return name
    },
    letGo: async (names) => void (await Promise.all(names.map((name) => table.remove(pk, name, soon())))),
    async sweep(handOn) {
      let handed = 0
      for (const item of await table.before(pk, sortable(Date.now()), soon())) {
        const sends = JSON.parse(String(item.sends)) as (Omit<HeldSend, 'input'> & { input: Sealed })[]
        for (const send of sends) await handOn({ ...send, input: await open(send.input, store, soon()) })
        await table.remove(pk, String(item.sk), soon())
        handed += sends.length
      }
      return handed
    },
  }
}

/** Epoch ms as text in the same order. */
function sortable(ms: number): string {
  return String(Math.round(ms)).padStart(15, '0')
}
