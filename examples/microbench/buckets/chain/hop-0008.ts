import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0008'

export const hop0008 = bucket<Walk>('hop-0008').on(immediate(), step)
