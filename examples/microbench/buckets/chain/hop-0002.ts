import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0002'

export const hop0002 = bucket<Walk>('hop-0002').on(immediate(), step)
