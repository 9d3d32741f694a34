import { GetItemCommand, type QueryCommand } from '@aws-sdk/client-dynamodb'
import { BucketTable } from '../../src/bucket-table.js'
import type { Item } from '../../src/runtime/attributes.js'
import type { World } from './world.js'

/** A world's table as the SDK has it. */
export function tableOf(world: World): BucketTable {
  const send = async (command: unknown) => {
    if (command instanceof GetItemCommand) {
      const { pk, sk } = command.input.Key ?? {}
      const item = world.table.items.get(`${pk?.S}\n${sk?.S}`)
      return { Item: item && attributesOf(item) }
    }
    const { S: pk = '' } = (command as QueryCommand).input.ExpressionAttributeValues?.[':pk'] ?? {}
    const found = [...world.table.items].filter(([key]) => key.startsWith(`${pk}\n`))
    return {
      Items: found.map(([key, item]) => attributesOf({ ...item, pk, sk: key.slice(pk.length + 1) })),
    }
  }
  return new BucketTable({ send: send as never }, 'table')
}

function attributesOf(item: Item) {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      typeof value === 'string' ? { S: value } : { N: String(value) },
    ]),
  )
}
