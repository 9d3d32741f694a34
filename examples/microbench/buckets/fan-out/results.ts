import { bucket } from 'fusionize'
import type { Total } from '../../lib/fan'

export const fanOutResults = bucket<Total>('fan-out-results')
