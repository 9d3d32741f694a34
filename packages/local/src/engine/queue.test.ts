import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Queue } from './queue.js'

test('a queue behaves like a list whatever is pushed, taken and removed', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const) }),
    fc.record({ kind: fc.constant('shift' as const) }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(20) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const queue = new Queue<{ n: number }>()
      const model: { n: number }[] = []
      for (const [n, one] of steps.entries()) {
        if (one.kind === 'push') {
          model.push({ n })
          queue.push(model.at(-1) as { n: number })
        } else if (one.kind === 'shift') expect(queue.shift()).toBe(model.shift())
        else {
          const item = model[one.at] ?? { n: -1 }
          expect(queue.remove(item)).toBe(model.includes(item))
          if (model.includes(item)) model.splice(model.indexOf(item), 1)
        }
        expect(queue.size).toBe(model.length)
        expect(queue.peek()).toBe(model[0])
      }
    }),
  )
})
