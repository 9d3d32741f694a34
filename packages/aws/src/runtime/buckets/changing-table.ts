import { FusionizeError } from 'fusionize'
import { type Attribute, attributeOf, attributesOf, type Item, itemOf } from '../attributes.js'
import type { Table } from '../table.js'

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

/** The app's table for who changes items in part. */
export interface ChangingTable extends Omit<Table, 'tell'> {
  /** @returns the item as it is then; `done` false: it is not as it must be, and has not changed */
  update(update: Update, deadline: number): Promise<{ done: boolean; item: Item | undefined }>
}

export function changing(table: Table): ChangingTable {
  return {
    ...table,
    async update(update, deadline) {
      const told = await table.tell<{ Attributes?: Record<string, Attribute> }>(
        'UpdateItem',
        updateOf(update),
        deadline,
      )
      const { answer, ok, why } = told
      if (ok) return { done: true, item: answer.Attributes && itemOf(answer.Attributes) }
      if (answer.__type?.endsWith('ConditionalCheckFailedException')) {
        // DynamoDB says what there is; what does not is asked.
        const item = answer.Item ? itemOf(answer.Item) : await table.get(update.pk, update.sk, deadline)
        return { done: false, item }
      }
      throw new FusionizeError('JOURNAL_FAILED', `an item of the table could not be changed: ${why}`, {
        key: update.pk,
      })
    },
  }
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
