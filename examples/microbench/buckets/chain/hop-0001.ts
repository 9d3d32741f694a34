import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0001'

export const hop0001 = bucket<Walk>('hop-0001').on(immediate(), step)
