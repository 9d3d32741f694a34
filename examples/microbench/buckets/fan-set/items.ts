import { bucket, immediate } from 'fusionize'
import type { Item } from '../../lib/fan'
import item from '../../tasks/fan-set/item'

export const fanSetItems = bucket<Item>('fan-set-items').on(immediate(), item)
