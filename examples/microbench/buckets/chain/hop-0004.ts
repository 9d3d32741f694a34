import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0004'

export const hop0004 = bucket<Walk>('hop-0004').on(immediate(), step)
