/** An item's attributes, strings and numbers only. */
export type Item = Record<string, string | number>

/** As DynamoDB writes it. */
export type Attribute = { S: string } | { N: string }

export function attributesOf(item: Item): Record<string, Attribute> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attributeOf(value)]))
}

export function attributeOf(value: string | number): Attribute {
  return typeof value === 'string' ? { S: value } : { N: String(value) }
}

export function itemOf(attributes: Record<string, Attribute>): Item {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, 'S' in value ? value.S : Number(value.N)]),
  )
}
