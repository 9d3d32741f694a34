import fc from 'fast-check'
import { type Step, type World, worldOf } from './world.js'

const names = ['entry', 'b', 'c', 'd', 'e']

const own = fc.oneof(
  fc.record({ cpuMs: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ waitMs: fc.integer({ min: 1, max: 60 }) }),
)

/** Calls of tasks that come later in `names`, so there are no cycles; every task is called by one before it. */
export const worlds: fc.Arbitrary<World> = fc.integer({ min: 2, max: 5 }).chain((size) =>
  fc
    .record({
      bodies: fc.array(fc.array(own, { minLength: 1, maxLength: 2 }), { minLength: size, maxLength: size }),
      callers: fc.tuple(...Array.from({ length: size - 1 }, (_, i) => fc.integer({ min: 0, max: i }))),
      kinds: fc.array(fc.constantFrom<'call' | 'send' | 'map'>('call', 'call', 'send', 'map'), {
        minLength: size,
        maxLength: size,
      }),
      together: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
    })
    .map(({ bodies, callers, kinds, together }) => {
      const scripts: Record<string, Step[]> = {}
      for (let i = 0; i < size; i++) {
        const steps: Step[] = [...(bodies[i] ?? [])]
        const called = names.slice(1, size).filter((_, k) => callers[k] === i)
        const of = (kind: string) => called.filter((name) => kinds[names.indexOf(name)] === kind)
        for (const mode of ['call', 'send'] as const) {
          const to = of(mode)
          if (to.length > 0 && together[i]) steps.push(mode === 'call' ? { call: to } : { send: to })
          else for (const one of to) steps.push(mode === 'call' ? { call: [one] } : { send: [one] })
        }
        for (const one of of('map')) steps.push({ map: one, items: 2 })
        scripts[names[i] as string] = steps
      }
      return worldOf('generated', scripts)
    }),
)
