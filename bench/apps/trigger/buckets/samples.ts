import { bucket } from 'fusionize'

/** What the producer answers with. */
export const samples = bucket<number[]>('samples')
