import { bucket, redundant } from 'fusionize'
import { k, n, type Start } from '../../lib/race'
import accept from '../../tasks/stragglers/accept'

export const answers = bucket<Start>('stragglers-answers').on(redundant(k, n, { cancel: true }), accept)
