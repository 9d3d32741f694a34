import { FusionizeError } from 'fusionize'
import { askJson, type Service } from './service.js'

/** An item's attributes, strings and numbers only. */
export type Item = Record<string, string | number>

/** A change of one item, made as one; an item that is not there begins empty. */
export interface Update {
  pk: string
  sk: string
  set?: Item
  remove?: readonly string[]
  /** Added to numbers; what is absent counts as 0. */
  add?: Record<string, number>
  /** What attributes must be, else nothing is changed; undefined: absent. */
  when?: Record<string, string | number | undefined>
  /** Nothing is changed unless the item is there already. @default false */
  known?: boolean
}

/** The app's table in DynamoDB, as far as a function needs it. */
export interface Table {
  /** @param deadline epoch ms */
  put(item: Item & { pk: string; sk: string }, deadline: number): Promise<void>
  get(pk: string, sk: string, deadline: number): Promise<Item | undefined>
  /** @returns the item as it is then; `done` false: it is not as it must be, and has not changed */
  update(update: Update, deadline: number): Promise<{ done: boolean; item: Item | undefined }>
  remove(pk: string, sk: string, deadline: number): Promise<void>
  /** Items of the partition whose sort key is less, in order, a hundred at most. */
  before(pk: string, sk: string, deadline: number): Promise<Item[]>
}

type Attribute = { S: string } | { N: string }

/** What DynamoDB says instead of an answer. */
interface Refusal {
  message?: string
  Message?: string
  /** Name of the exception, after its namespace. */
  __type?: string
  Item?: Record<string, Attribute>
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

  async function tell<Answer>(operation: string, body: object, deadline: number) {
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
    async update(update, deadline) {
      const body = updateOf(update)
      const { ok, answer, why } = await tell<{ Attributes?: Record<string, Attribute> }>('UpdateItem', body, deadline)
      if (ok) return { done: true, item: answer.Attributes && itemOf(answer.Attributes) }
      if (answer.__type?.endsWith('ConditionalCheckFailedException')) {
        // DynamoDB says what there is; what does not is asked.
        const item = answer.Item ? itemOf(answer.Item) : await this.get(update.pk, update.sk, deadline)
        return { done: false, item }
      }
      throw new FusionizeError('JOURNAL_FAILED', `UpdateItem in table ${name} failed: ${why}`, { table: name })
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
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attributeOf(value)]))
}

function attributeOf(value: string | number): Attribute {
  return typeof value === 'string' ? { S: value } : { N: String(value) }
}

function itemOf(attributes: Record<string, Attribute>): Item {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, 'S' in value ? value.S : Number(value.N)]),
  )
}

/** An update as DynamoDB's expressions have it ("Expressions", Amazon DynamoDB Developer Guide). */
function updateOf({ pk, sk, set = {}, remove = [], add = {}, when = {}, known = false }: Update) {
  const names: Record<string, string> = {}
  const values: Record<string, Attribute> = {}
  const nameOf = new Map<string, string>()
  const name = (attribute: string) => {
    const short = nameOf.get(attribute) ?? `#${nameOf.size}`
    nameOf.set(attribute, short)
    names[short] = attribute
    return short
  }
  const value = (given: string | number) => {
    const short = `:${Object.keys(values).length}`
    values[short] = attributeOf(given)
    return short
  }
  const clause = (word: string, parts: string[]) => (parts.length > 0 ? [`${word} ${parts.join(', ')}`] : [])
  const expression = [
    ...clause(
      'SET',
      Object.entries(set).map(([key, to]) => `${name(key)} = ${value(to)}`),
    ),
    ...clause('REMOVE', [...new Set(remove)].map(name)),
    ...clause(
      'ADD',
      Object.entries(add).map(([key, by]) => `${name(key)} ${value(by)}`),
    ),
  ]
  const conditions = Object.entries(when).map(([key, is]) =>
    is === undefined ? `attribute_not_exists(${name(key)})` : `${name(key)} = ${value(is)}`,
  )
  if (known) conditions.push(`attribute_exists(${name('pk')})`)
  return {
    Key: attributesOf({ pk, sk }),
    UpdateExpression: expression.join(' '),
    ExpressionAttributeNames: names,
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    ...(conditions.length > 0 && { ConditionExpression: conditions.join(' AND ') }),
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  }
}
