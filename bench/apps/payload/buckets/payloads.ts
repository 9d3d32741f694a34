import { bucket, immediate } from 'fusionize'
import receiver from '../tasks/receiver'

export const payloads = bucket<Uint8Array>('payloads').on(immediate(), receiver)
