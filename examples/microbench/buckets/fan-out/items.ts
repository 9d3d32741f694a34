import { bucket, immediate } from 'fusionize'
import type { Item } from '../../lib/fan'
import item from '../../tasks/fan-out/item'

export const fanOutItems = bucket<Item>('fan-out-items').on(immediate(), item)
