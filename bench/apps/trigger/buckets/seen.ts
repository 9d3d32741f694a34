import { bucket } from 'fusionize'

/** Us from the start of each put to the first statement of its consumer. */
export const seen = bucket<number>('seen')
