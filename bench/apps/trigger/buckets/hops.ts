import { bucket, immediate } from 'fusionize'
import consumer from '../tasks/consumer'

/** When each put began, us. */
export const hops = bucket<number>('hops').on(immediate(), consumer)
