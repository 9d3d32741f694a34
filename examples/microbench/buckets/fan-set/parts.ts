import { bucket, bySet } from 'fusionize'
import { keysOf, type Part } from '../../lib/fan'
import join from '../../tasks/fan-set/join'

export const fanSetParts = bucket<Part>('fan-set-parts').on(bySet(keysOf(16)), join)
