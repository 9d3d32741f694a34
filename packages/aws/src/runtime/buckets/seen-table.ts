import type { Item } from '../attributes.js'
import type { ChangingTable } from './changing-table.js'
import { sessionOf } from './items.js'

/** The table, with somebody who sees every item of a session that it tells of. */
export function seenTable(table: ChangingTable, saw: (session: string, item: Item) => void): ChangingTable {
  const look = (pk: string, item: Item | undefined) => {
    const session = sessionOf(pk)
    if (item && session !== undefined) saw(session, item)
  }
  return {
    async get(pk, sk, deadline) {
      const item = await table.get(pk, sk, deadline)
      look(pk, item)
      return item
    },
    async update(update, deadline) {
      const told = await table.update(update, deadline)
      look(update.pk, told.item)
      return told
    },
    put: (item, deadline) => table.put(item, deadline),
    remove: (pk, sk, deadline) => table.remove(pk, sk, deadline),
    before: (pk, sk, deadline) => table.before(pk, sk, deadline),
  }
}
