import { bucket } from 'fusionize'
import type { Podium } from '../../lib/race'

export const podiums = bucket<Podium>('stragglers-podiums')
