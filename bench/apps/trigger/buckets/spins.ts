import { bucket, immediate } from 'fusionize'
import spinner from '../tasks/spinner'

/** When each put began, us; its consumer answers on the session's board. */
export const spins = bucket<number>('spins').on(immediate(), spinner)
