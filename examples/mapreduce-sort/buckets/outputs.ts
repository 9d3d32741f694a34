import { bucket, dynamicJoin } from 'fusionize'
import type { Output } from '../lib/job'
import finish from '../tasks/finish'

/** Sorted ranges, by their name. */
export const outputs = bucket<Output>('outputs').on(dynamicJoin(), finish)
