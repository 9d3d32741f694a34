import { bucket, immediate } from 'fusionize'
import type { Walk } from '../lib/work'
import step1 from '../tasks/step-1'

export const first = bucket<Walk>('first').on(immediate(), step1)
