import type { StandardSchema } from 'fusionize'
import { type Currency, currencies } from './money'

/** What a customer wants of the shop: the last part of the path, and what goes with it. */
export type ShopRequest = { user: string; currency?: Currency } & (
  | { action: 'home' | 'cart' }
  | { action: 'add'; item: string; product: string; quantity: number }
  | { action: 'checkout' | 'pay'; order: string }
  | { action: 'product'; product: string }
  | { action: 'search'; words: string }
)

export type Action = ShopRequest['action']

type Check = (value: unknown) => string | undefined

const name: Check = (value) =>
  typeof value === 'string' && /^[a-z]+-[\w-]{1,40}$/.test(value) ? undefined : "must be a name like 'u-1'"
const quantity: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < 100
    ? undefined
    : 'must be a whole number from 1 to 99'
const words: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'must be some words')
const currency: Check = (value) =>
  value === undefined || currencies.some((known) => known === value)
    ? undefined
    : `must be one of ${currencies.join(', ')}`

const fields: Record<Action, Record<string, Check>> = {
  home: {},
  cart: {},
  add: { item: name, product: name, quantity },
  checkout: { order: name },
  pay: { order: name },
  product: { product: name },
  search: { words },
}

/** Checks what comes from outside; says of every field what is wrong with it. */
export const shopRequest: StandardSchema<ShopRequest> = {
  '~standard': {
    version: 1,
    vendor: 'webshop',
    validate(value) {
      if (typeof value !== 'object' || value === null) return { issues: [{ message: 'must be an object' }] }
      const given = value as Record<string, unknown>
      const own = Object.hasOwn(fields, String(given.action)) ? fields[given.action as Action] : undefined
      if (!own) return { issues: [{ message: `must be one of ${Object.keys(fields).join(', ')}`, path: ['action'] }] }
      const checks: Record<string, Check> = { user: name, currency, ...own }
      const unknown = Object.keys(given).filter((field) => field !== 'action' && !Object.hasOwn(checks, field))
      const issues = [
        ...Object.entries(checks).map(([field, check]) => ({ field, problem: check(given[field]) })),
        ...unknown.map((field) => ({
          field,
          problem: `is unknown here; fields are ${Object.keys(checks).join(', ')}`,
        })),
      ].flatMap(({ field, problem }) =>
        problem === undefined ? [] : [{ message: `${field} ${problem}`, path: [field] }],
      )
      return issues.length > 0 ? { issues } : { value: value as ShopRequest }
    },
  },
}
