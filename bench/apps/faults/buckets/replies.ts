import { bucket } from 'fusionize'

/** The number of the request, from the last step. */
export const replies = bucket<number>('replies')
