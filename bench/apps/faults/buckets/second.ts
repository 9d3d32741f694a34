import { bucket, immediate } from 'fusionize'
import type { Walk } from '../lib/work'
import step2 from '../tasks/step-2'

export const second = bucket<Walk>('second').on(immediate(), step2)
