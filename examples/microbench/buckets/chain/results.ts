import { bucket } from 'fusionize'
import type { Walk } from '../../lib/walk'

/** Where the last step of the chain puts the reply. */
export const chainResults = bucket<Walk>('chain-results')
