/** What a field of a request may be. */
export interface WholeNumber {
  least: number
  most: number
  /** What it is when the request does not say. */
  otherwise: number
}

/**
 * A request of whole numbers with its gaps filled.
 * @throws {RangeError} naming the first field that is wrong or unknown
 */
export function wholeNumbers<Field extends string>(
  given: { readonly [F in Field]?: number | undefined },
  fields: Readonly<Record<Field, WholeNumber>>,
): Record<Field, number> {
  const names = Object.keys(fields) as Field[]
  const unknown = Object.keys(given).find((name) => !names.includes(name as Field))
  if (unknown !== undefined) throw new RangeError(`${unknown} is unknown; fields are ${names.join(', ')}`)
  const entries = names.map((name): [Field, number] => {
    const { least, most, otherwise } = fields[name]
    const value = given[name] ?? otherwise
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new RangeError(`${name} is ${JSON.stringify(value)}; give a whole number from ${least} to ${most}`)
    return [name, value]
  })
  return Object.fromEntries(entries) as Record<Field, number>
}
