import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0006'

export const hop0006 = bucket<Walk>('hop-0006').on(immediate(), step)
