import { type AttributeValue, type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import type { App } from 'fusionize/setup'
import { parallel } from './deploy/parallel.js'
import {
  bucketItemKey,
  type ItemKey,
  isClosed,
  isQuiet,
  namesWith,
  sessionKey,
  VERSION,
} from './runtime/buckets/items.js'
import { watchPartition } from './runtime/buckets/watch.js'
import type { Item } from './runtime/table.js'

/** Sessions of which nothing is open: the version of the item, and since when it has that, epoch ms. */
type Quiet = Map<string, { version: number; since: number }>

/** Items read at a time. */
const AT_ONCE = 8
/** Ms for which a session of which nothing is open may stay as it is, until it is clear that it waits for time: else it ends within them. */
const ENDING_MS = 1000

/** Looks for work of buckets in the app's table: in the watch lists, where every session is that is not over, and in the buckets of the application. */
export class BucketWork {
  /** Entries of watch lists that are there until a sweep, though their sessions have ended. */
  readonly #over = new Set<string>()
  #quiet: Quiet = new Map()

  constructor(
    readonly dynamodb: Pick<DynamoDBClient, 'send'>,
    readonly table: string,
    readonly now: () => number = Date.now,
  ) {}

  /** @returns sessions and buckets of which something runs, is handed over, or is about to end; each with the version of its item */
  async look({ buckets = {}, tasks }: Pick<App, 'buckets' | 'tasks'>): Promise<ReadonlyMap<string, number>> {
    const underWay = new Map<string, number>()
    const quiet: Quiet = new Map()
    const lists = await parallel(Object.keys(tasks), AT_ONCE, (fn) => this.#entries(watchPartition(fn)))
    await parallel(lists.flat(), AT_ONCE, async (entry) => {
      const name = `${entry.pk}\n${entry.sk}`
      if (this.#over.has(name)) return
      const session = String(entry.session)
      const item = await this.#read(sessionKey(session))
      if (item === undefined) return
      const fires = namesWith(item, 'f:').length > 0
      if (isClosed(item) && !fires) this.#over.add(name)
      else if (fires || namesWith(item, 'o:').length > 0) underWay.set(`session ${session}`, Number(item[VERSION]))
      else if (isQuiet(item) && this.#isEnding(session, item, quiet))
        underWay.set(`session ${session}`, Number(item[VERSION]))
    })
    // Those that functions may evaluate themselves have no item.
    const shared = Object.values(buckets).filter(({ fusible }) => !fusible)
    await parallel(shared, AT_ONCE, async ({ name }) => {
      const item = await this.#read(bucketItemKey(name))
      if (item && namesWith(item, 'f:').length > 0) underWay.set(`bucket ${name}`, Number(item[VERSION]))
    })
    this.#quiet = quiet
    return underWay
  }

  #isEnding(session: string, item: Item, quiet: Quiet): boolean {
    const version = Number(item[VERSION])
    const known = this.#quiet.get(session)
    const since = known?.version === version ? known.since : this.now()
    quiet.set(session, { version, since })
    return this.now() - since < ENDING_MS
  }

  async #entries(pk: string): Promise<Item[]> {
    const entries: Item[] = []
    let ExclusiveStartKey: Record<string, AttributeValue> | undefined
    do {
      const page = await this.dynamodb.send(
        new QueryCommand({
          TableName: this.table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
          ConsistentRead: true,
          ...(ExclusiveStartKey && { ExclusiveStartKey }),
        }),
      )
      entries.push(...(page.Items ?? []).map(itemOf))
      ExclusiveStartKey = page.LastEvaluatedKey
    } while (ExclusiveStartKey)
    return entries
  }

  async #read({ pk, sk }: ItemKey): Promise<Item | undefined> {
    const Key = { pk: { S: pk }, sk: { S: sk } }
    const { Item } = await this.dynamodb.send(new GetItemCommand({ TableName: this.table, Key, ConsistentRead: true }))
    return Item && itemOf(Item)
  }
}

function itemOf(attributes: Record<string, AttributeValue>): Item {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { N, S = '' }]) => [name, N === undefined ? S : Number(N)]),
  )
}
