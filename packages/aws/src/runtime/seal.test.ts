import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ObjectStore } from './object-store.js'
import { open, PAYLOADS, seal } from './seal.js'

const memory = (): ObjectStore & { keys: string[] } => {
  const objects = new Map<string, Buffer>()
  const keys: string[] = []
  return {
    keys,
    async put(key, data) {
      keys.push(key)
      objects.set(key, Buffer.from(data))
    },
    get: async (key) => objects.get(key) as Buffer,
  }
}
const payloads = fc.oneof(
  fc.constant(undefined),
  fc.json().map((text) => JSON.stringify(JSON.parse(text))),
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: 'grapheme' }).map((text) => `\u0001${text}`),
)

it('what is opened is what was sealed, whatever the limit and however it travelled', async () => {
  await fc.assert(
    fc.asyncProperty(payloads, fc.integer({ min: 0, max: 400 }), async (payload, limit) => {
      const store = memory()
      const sealed = await seal(payload, limit, store, 0)
      const travelled = JSON.parse(JSON.stringify(sealed))
      const opened = await open(travelled, store, 0)
      expect(opened).toStrictEqual(payload)
    }),
  )
})

it('an envelope never takes more than the limit: what is larger goes to the object store', async () => {
  await fc.assert(
    fc.asyncProperty(payloads, fc.integer({ min: 0, max: 400 }), async (payload, limit) => {
      const store = memory()
      const sealed = await seal(payload, limit, store, 0)
      if (store.keys.length > 0) expect(store.keys[0]?.startsWith(PAYLOADS)).toBe(true)
      else expect(Buffer.byteLength(JSON.stringify(Object.values(sealed)[0] ?? ''))).toBeLessThanOrEqual(limit + 2)
    }),
  )
})
