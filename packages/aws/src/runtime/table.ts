import { FusionizeError } from 'fusionize'
import type { Service } from './service.js'

/** An item's attributes, strings and numbers only. */
export type Item = Record<string, string | number>

/** The app's table in DynamoDB, as far as a function needs it. */
export interface Table {
  /** @param deadline epoch ms */
  put(item: Item & { pk: string; sk: string }, deadline: number): Promise<void>
  get(pk: string, sk: string, deadline: number): Promise<Item | undefined>
  remove(pk: string, sk: string, deadline: number): Promise<void>
  /** Items of the partition whose sort key is less, in order, a hundred at most. */
  before(pk: string, sk: string, deadline: number): Promise<Item[]>
}

type Attribute = { S: string } | { N: string }

export function openTable(dynamodb: Service, name: string): Table {
  async function ask<Answer>(operation: string, body: object, deadline: number): Promise<Answer> {
    const response = await dynamodb.ask({
      method: 'POST',
      path: [],
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `DynamoDB_20120810.${operation}` },
      body: JSON.stringify({ TableName: name, ...body }),
      deadline,
    })
    const answer = JSON.parse(response.body.toString()) as Answer & { message?: string; Message?: string }
    if (response.status === 200) return answer
    const why = answer.message ?? answer.Message ?? `status ${response.status}`
    throw new FusionizeError('JOURNAL_FAILED', `${operation} in table ${name} failed: ${why}`, { table: name })
  }

  return {
    put: async (item, deadline) => void (await ask('PutItem', { Item: attributesOf(item) }, deadline)),
    async get(pk, sk, deadline) {
      const key = { Key: attributesOf({ pk, sk }), ConsistentRead: true }
      const { Item } = await ask<{ Item?: Record<string, Attribute> }>('GetItem', key, deadline)
      return Item && itemOf(Item)
    },
    remove: async (pk, sk, deadline) => void (await ask('DeleteItem', { Key: attributesOf({ pk, sk }) }, deadline)),
    async before(pk, sk, deadline) {
      const query = {
        KeyConditionExpression: 'pk = :pk AND sk < :sk',
        ExpressionAttributeValues: { ':pk': { S: pk }, ':sk': { S: sk } },
        ConsistentRead: true,
        Limit: 100,
      }
      const { Items } = await ask<{ Items: Record<string, Attribute>[] }>('Query', query, deadline)
      return Items.map(itemOf)
    },
  }
}

function attributesOf(item: Item): Record<string, Attribute> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      typeof value === 'string' ? { S: value } : { N: String(value) },
    ]),
  )
}

function itemOf(attributes: Record<string, Attribute>): Item {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, 'S' in value ? value.S : Number(value.N)]),
  )
}
