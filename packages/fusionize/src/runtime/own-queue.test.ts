import { describe, expect, it } from 'vitest'
import { OwnQueue } from './own-queue.js'
import type { HeldSend } from './protocol.js'

let count = 0
const sends = (n: number, task = 'item') =>
  Array.from({ length: n }, () => ({ id: `${task}-${count++}`, session: 's', task }) as HeldSend)

/** A queue whose task `item` has had such runs, ms. */
function queueAfter(...runs: number[]) {
  const released: HeldSend[] = []
  const queue = new OwnQueue((some) => released.push(...some))
  for (const ms of runs) queue.ran('item', ms)
  return { queue, released }
}

describe('what triggers start where their data is', () => {
  it('stays when it is short, up to what many of it take, and all in order', () => {
    const { queue, released } = queueAfter(1, 0.02, 0.02)
    const all = sends(100)
    expect(queue.add(all, true)).toBe(100)
    const begun: HeldSend[] = []
    for (let i = 0; i < 100; i++) queue.next((send) => begun.push(send))
    expect(begun).toEqual(all)
    expect(released).toEqual([])
  })

  it('goes, but for the first, when it is long', () => {
    const { queue, released } = queueAfter(30)
    const all = sends(4)
    expect(queue.add(all, true)).toBe(1)
    expect(released).toEqual(all.slice(1))
  })

  it('goes when the sandbox has something else to do', () => {
    const { queue, released } = queueAfter()
    expect(queue.add(sends(3), false)).toBe(0)
    expect(released).toHaveLength(3)
  })

  it('is not taken for long because its code was new, or one run was held up', () => {
    const { queue, released } = queueAfter(3, 0.03, 8)
    expect(queue.add(sends(50), true)).toBe(50)
    expect(released).toEqual([])
  })

  it('is given away, with what is behind it, as soon as it is known to be long', () => {
    const { queue, released } = queueAfter()
    const all = sends(5)
    queue.add(all, true)
    queue.next(() => {})
    expect(queue.ran('item', 40)).toEqual(all.slice(2))
    expect(released).toEqual(all.slice(2))
    const slower = queueAfter(0.1, 0.1)
    slower.queue.add(sends(9), true)
    for (const ms of [2, 2, 2]) slower.queue.ran('item', ms)
    expect(slower.released).toHaveLength(8)
  })
})
