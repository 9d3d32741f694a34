import { isRef } from 'fusionize/buckets'
import type { Item } from '../attributes.js'
import { answering } from './answers.js'
import type { PutChange } from './changes.js'
import { expectedName } from './items.js'
import type { Noted } from './slot.js'

/** New objects of a session: one may be the answer, others were promised. */
export function noted(item: Item, bucket: string, put: readonly PutChange[]): Noted {
  const [first] = put
  const answer = first && answering(item, bucket, first.value)
  return {
    ...answer,
    ...(answer?.set && first && isRef(first.value) && { refs: [first.value.ref] }),
    remove: put.map(({ key }) => expectedName(bucket, key)),
  }
}
