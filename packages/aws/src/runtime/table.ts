import { FusionizeError } from 'fusionize'
import { type Attribute, attributesOf, type Item, itemOf } from './attributes.js'
import { askJson, type Service } from './service.js'

/** The app's table in DynamoDB, as far as a function needs it. */
export interface Table {
  /** @param deadline epoch ms */
  put(item: Item & { pk: string; sk: string }, deadline: number): Promise<void>
  get(pk: string, sk: string, deadline: number): Promise<Item | undefined>
  remove(pk: string, sk: string, deadline: number): Promise<void>
  /** Items of the partition whose sort key is less, in order, a hundred at most. */
  before(pk: string, sk: string, deadline: number): Promise<Item[]>
  /** Asks for an operation in DynamoDB's own words. @returns also what was refused, and why */
  tell<Answer>(operation: string, body: object, deadline: number): Promise<Told<Answer>>
}

/** What DynamoDB says instead of an answer. */
export interface Refusal {
  message?: string
  Message?: string
  /** Name of the exception, after its namespace. */
  __type?: string
  Item?: Record<string, Attribute>
}

/** What DynamoDB said. */
export interface Told<Answer> {
  ok: boolean
  answer: Answer & Refusal
  /** Why not. */
  why: string
}

/** Of an item's attribute `expires`: seconds since 1970, after which DynamoDB removes it. */
export function expiresIn(days: number): number {
  return Math.ceil(Date.now() / 1000) + days * 86_400
}

export function openTable(dynamodb: Service, name: string): Table {
  async function ask<Answer>(operation: string, body: object, deadline: number): Promise<Answer> {
    const { ok, answer, why } = await tell<Answer>(operation, body, deadline)
    if (ok) return answer
    throw new FusionizeError('JOURNAL_FAILED', `${operation} in table ${name} failed: ${why}`, { table: name })
  }

  async function tell<Answer>(operation: string, body: object, deadline: number): Promise<Told<Answer>> {
    const about = { TableName: name, ...body }
    const response = await askJson(dynamodb, `DynamoDB_20120810.${operation}`, about, deadline)
    const answer = JSON.parse(response.body.toString()) as Answer & Refusal
    const why = answer.message ?? answer.Message ?? `status ${response.status}`
    return { ok: response.status === 200, answer, why }
  }

  return {
    put: async (item, deadline) => void (await ask('PutItem', { Item: attributesOf(item) }, deadline)),
    async get(pk, sk, deadline) {
      const key = { Key: attributesOf({ pk, sk }), ConsistentRead: true }
      const { Item } = await ask<{ Item?: Record<string, Attribute> }>('GetItem', key, deadline)
      return Item && itemOf(Item)
    },
    tell,
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
