import type { StandardSchema } from 'fusionize'

/** What is wrong with a value: a sentence that follows its name, or undefined. */
type Check = (value: unknown) => string | undefined

/**
 * A schema for objects, by hand: fusionize takes any validator that speaks Standard Schema, and this is all it needs.
 * @param checks one for each field; fields without one are refused
 */
export function object<T extends object>(checks: { [Field in keyof T]: Check }): StandardSchema<T> {
  const fields = Object.keys(checks) as (keyof T & string)[]
  return {
    '~standard': {
      version: 1,
      vendor: 'iot',
      validate(value) {
        if (typeof value !== 'object' || value === null) return { issues: [{ message: 'must be an object' }] }
        const given = value as Record<string, unknown>
        const unknown = Object.keys(given).filter((name) => !fields.includes(name as keyof T & string))
        const issues = [
          ...fields.flatMap((field) => issue(field, checks[field](given[field]))),
          ...unknown.flatMap((name) => issue(name, `is unknown; fields are ${fields.join(', ')}`)),
        ]
        return issues.length > 0 ? { issues } : { value: value as T }
      },
    },
  }
}

export function text(pattern: RegExp): Check {
  return (value) => (typeof value === 'string' && pattern.test(value) ? undefined : `must be a text like ${pattern}`)
}

export function wholeNumber(): Check {
  return (value) => (Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : 'must be a whole number from 0 on')
}

function issue(field: string, problem: string | undefined) {
  return problem === undefined ? [] : [{ message: `${field} ${problem}`, path: [field] }]
}
