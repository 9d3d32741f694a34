import { type AttributeValue, type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { parallel } from './deploy/parallel.js'
import type { Item } from './runtime/attributes.js'
import { bucketItemKey, type ItemKey, sessionKey } from './runtime/buckets/items.js'
import { watchPartition } from './runtime/buckets/watch.js'

/** Items read at a time. */
export const AT_ONCE = 8

/** The app's table, as whoever looks from outside reads what buckets have in it. */
export class BucketTable {
  constructor(
    readonly dynamodb: Pick<DynamoDBClient, 'send'>,
    readonly table: string,
  ) {}

  /** Entries of the watch lists of these functions: every session is there that is not over, and may be there twice. */
  async watched(functions: Iterable<string>): Promise<Item[]> {
    const lists = await parallel([...functions], AT_ONCE, (fn) => this.#entries(watchPartition(fn)))
    return lists.flat()
  }

  session(session: string): Promise<Item | undefined> {
    return this.#read(sessionKey(session))
  }

  /** The item of a bucket of the application; undefined for one that has never had anything, and for another. */
  bucket(bucket: string): Promise<Item | undefined> {
    return this.#read(bucketItemKey(bucket))
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
