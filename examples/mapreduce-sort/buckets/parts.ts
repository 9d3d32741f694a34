import { bucket, immediate } from 'fusionize'
import type { Part } from '../lib/plan'
import map from '../tasks/map'

/** Parts of the input, by their name. */
export const parts = bucket<Part>('parts').on(immediate(), map)
