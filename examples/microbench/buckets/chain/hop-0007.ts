import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0007'

export const hop0007 = bucket<Walk>('hop-0007').on(immediate(), step)
