import type { SourcePromise } from '../bucket.js'
import type { BucketDefinition } from '../definition.js'

export async function put(_b: BucketDefinition, _key: string, _value: unknown, _group?: string): Promise<void> {}
export async function get(_b: BucketDefinition, _key: string): Promise<unknown> {
  return undefined
}
export function source(_b: BucketDefinition, _name: string): void {}
export async function declare(
  _b: BucketDefinition,
  _what: readonly string[] | { sources?: readonly string[] },
): Promise<void> {}
export async function promise(_b: BucketDefinition, _what: SourcePromise): Promise<void> {}
