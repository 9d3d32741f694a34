import { bucket } from 'fusionize'
import type { Total } from '../../lib/fan'

export const fanSetResults = bucket<Total>('fan-set-results')
