import { bucket, immediate } from 'fusionize'
import type { Walk } from '../lib/work'
import step4 from '../tasks/step-4'

export const fourth = bucket<Walk>('fourth').on(immediate(), step4)
