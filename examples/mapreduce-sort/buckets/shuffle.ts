import { bucket, dynamicGroup } from 'fusionize'
import reduce from '../tasks/reduce'

/** Partitions: of every part one for every range. The source is the part, the group the range. */
export const shuffle = bucket<Uint8Array>('shuffle').on(dynamicGroup(), reduce)
