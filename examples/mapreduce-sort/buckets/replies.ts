import { bucket } from 'fusionize'
import type { SortReply } from '../lib/job'

export const replies = bucket<SortReply>('replies')
