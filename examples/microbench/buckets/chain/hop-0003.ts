import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0003'

export const hop0003 = bucket<Walk>('hop-0003').on(immediate(), step)
