import { bucket, dynamicJoin } from 'fusionize'
import type { Part } from '../../lib/fan'
import join from '../../tasks/fan-out/join'

export const fanOutParts = bucket<Part>('fan-out-parts').on(dynamicJoin(), join)
