import { bucket, immediate } from 'fusionize'
import type { Walk } from '../../lib/walk'
import step from '../../tasks/chain/step-0009'

export const hop0009 = bucket<Walk>('hop-0009').on(immediate(), step)
