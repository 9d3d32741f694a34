import type { RecordSum } from '@fusionize/example-kit/records'
import { bucket } from 'fusionize'

/** What the records of each part add up to. */
export const reads = bucket<RecordSum>('reads')
