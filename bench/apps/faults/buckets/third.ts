import { bucket, immediate } from 'fusionize'
import type { Walk } from '../lib/work'
import step3 from '../tasks/step-3'

export const third = bucket<Walk>('third').on(immediate(), step3)
