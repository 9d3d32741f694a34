import type { Item } from '../../src/runtime/attributes.js'
import type { ChangingTable, Update } from '../../src/runtime/buckets/changing-table.js'

/** A table in memory, which does what DynamoDB does with conditions: one change at a time. */
export class FakeTable implements ChangingTable {
  readonly items = new Map<string, Item>()
  /** Called with every change of an item that was made. */
  changed: (update: Update, before: Item | undefined, after: Item) => void = () => {}

  async put(item: Item & { pk: string; sk: string }): Promise<void> {
    this.items.set(nameOf(item), { ...item })
  }

  async get(pk: string, sk: string): Promise<Item | undefined> {
    const item = this.items.get(nameOf({ pk, sk }))
    return item && { ...item }
  }

  async update(update: Update): Promise<{ done: boolean; item: Item | undefined }> {
    const { pk, sk, set = {}, remove = [], add = {}, when = {}, known = false } = update
    const before = this.items.get(nameOf(update))
    const clash = Object.keys(set).find((name) => remove.includes(name) || name in add)
    if (clash !== undefined) throw new Error(`two document paths overlap: ${clash}`)
    if ((known && !before) || Object.entries(when).some(([name, is]) => before?.[name] !== is))
      return { done: false, item: before && { ...before } }
    const after: Item = { pk, sk, ...before, ...set }
    for (const name of remove) delete after[name]
    for (const [name, by] of Object.entries(add)) after[name] = Number(before?.[name] ?? 0) + by
    this.items.set(nameOf(update), after)
    this.changed(update, before, after)
    return { done: true, item: { ...after } }
  }

  async remove(pk: string, sk: string): Promise<void> {
    this.items.delete(nameOf({ pk, sk }))
  }

  async before(pk: string, sk: string): Promise<Item[]> {
    const found = [...this.items.values()].filter((item) => item.pk === pk && String(item.sk) < sk)
    return found.sort((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1)).slice(0, 100)
  }
}

function nameOf({ pk, sk }: Pick<Item & { pk: string; sk: string }, 'pk' | 'sk'>): string {
  return `${pk}\n${sk}`
}
