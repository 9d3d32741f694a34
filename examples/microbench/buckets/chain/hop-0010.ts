import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0010'

export const hop0010 = bucket<Walk>('hop-0010').on(immediate(), step)
