import { strict as assert } from 'node:assert'
import type { ConformanceCase } from '../index.js'

const LARGE = 7 * 2 ** 20

const samples: unknown[] = [
  null,
  true,
  0,
  -1.5,
  '',
  'é\u0000"\\\u2028',
  [],
  {},
  { a: [{ b: null }] },
  'x'.repeat(100_000),
]

export const values: ConformanceCase[] = [
  {
    name: 'JSON and bytes come back as they went',
    async run({ ask, deploy, remote }) {
      await deploy(remote)
      for (const value of samples) assert.deepEqual(await ask('echo', value), value)
      const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 256)
      assert.deepEqual(await ask('echo', bytes), bytes)
      assert.deepEqual(await ask('echo', new Uint8Array(0)), new Uint8Array(0))
    },
  },
  {
    name: 'no input is undefined, and so is no output',
    async run({ ask, deploy, remote }) {
      await deploy(remote)
      assert.equal(await ask('nothing', undefined), undefined)
      assert.equal(await ask('echo', undefined), undefined)
    },
  },
  {
    name: 'what is larger than a message may be still arrives',
    async run({ ask, deploy, remote }) {
      await deploy(remote)
      const text = 'é'.repeat(LARGE / 2)
      assert.equal((await ask('echo', text)) === text, true)
      const bytes = new Uint8Array(LARGE).fill(7)
      assert.deepEqual(Buffer.compare((await ask('echo', bytes)) as Uint8Array, bytes), 0)
      assert.equal(await ask('relay', 'a'.repeat(LARGE)).then((answer) => (answer as string).length), LARGE + 1)
    },
  },
  {
    name: 'a call gives the same inline and remote',
    async run({ ask, deploy, fused, remote }) {
      for (const setup of [remote, fused]) {
        await deploy(setup)
        assert.equal(await ask('relay', 'bolt'), 'BOLT!')
      }
    },
  },
  {
    name: 'a map gives its results in the order of its items, in bundles of any size, inline and remote',
    async run({ ask, deploy, fused, remote }) {
      const numbers = [5, 3, 8, 1, 0, 2, 7]
      const squares = numbers.map((n) => n * n)
      const own = remote.functions.squares
      assert(own)
      for (const items of [1, 3, 10]) {
        const functions = { ...remote.functions, squares: { ...own, bundle: { square: items } } }
        await deploy({ functions })
        assert.deepEqual(await ask('squares', numbers), squares)
      }
      await deploy(fused)
      assert.deepEqual(await ask('squares', numbers), squares)
      assert.deepEqual(await ask('squares', []), [])
    },
  },
  {
    name: 'a session is the same wherever its tasks run, and each run has an id of its own',
    async run({ ask, deploy, fused, remote }) {
      for (const setup of [remote, fused]) {
        await deploy(setup)
        const seen = (await ask('context', '', { session: 'mine' })) as Seen
        assert.deepEqual([seen.session, seen.below.session, seen.attempt], ['mine', 'mine', 1])
        assert.notEqual(seen.invocation, seen.below.invocation)
      }
    },
  },
]

interface Seen {
  session: string
  invocation: string
  attempt: number
  below: { session: string; invocation: string }
}
