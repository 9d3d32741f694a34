import { bucket, immediate } from 'fusionize'
import type { Start } from '../../lib/race'
import source from '../../tasks/stragglers/source'

export const starts = bucket<Start>('stragglers-starts').on(immediate(), source)
