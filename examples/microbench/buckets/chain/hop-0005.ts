import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0005'

export const hop0005 = bucket<Walk>('hop-0005').on(immediate(), step)
