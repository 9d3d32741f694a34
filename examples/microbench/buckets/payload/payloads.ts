import { bucket, immediate } from 'fusionize'
import receive from '../../tasks/payload/receive'

export const payloads = bucket<Uint8Array>('payloads').on(immediate(), receive)
