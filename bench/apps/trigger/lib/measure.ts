import { setTimeout as sleep } from 'node:timers/promises'
import { hops } from '../buckets/hops'
import { samples } from '../buckets/samples'
import { seen } from '../buckets/seen'
import { nowUs } from './clock'

export interface Order {
  puts: number
  pauseMs: number
}

/**
 * Puts one after the other, each when the consumer of the one before has begun. Between them it waits `pauseMs`, and with it, when that
 * is not 0, its sandbox is taken.
 */
export async function measure({ puts, pauseMs }: Order): Promise<void> {
  const us: number[] = []
  for (let i = 0; i < puts; i++) {
    const key = String(i)
    // What was before has not quite ended.
    if (pauseMs > 0) await sleep(pauseMs)
    await hops.put(key, nowUs())
    let found: number | undefined
    do {
      if (pauseMs > 0) await sleep(pauseMs)
      found = await seen.get(key)
    } while (found === undefined)
    us.push(found)
  }
  await samples.put('us', us)
}
