import { strict as assert } from 'node:assert'
import { setupId } from 'fusionize/setup'
import type { ConformanceCase } from '../index.js'

export const deploying: ConformanceCase[] = [
  {
    name: 'says what it is: sizes in order, limits, prices, what happens after a reply',
    async run({ platform }) {
      const { memoryLadder, mbPerCore, maxPayloadBytes, maxTimeoutMs, prices, afterReply } = platform.facts()
      assert(memoryLadder.length > 0)
      assert.deepEqual(
        [...memoryLadder].sort((a, b) => a - b),
        memoryLadder,
      )
      for (const figure of [mbPerCore, maxPayloadBytes.call, maxPayloadBytes.send, maxTimeoutMs, prices.perGbSecond])
        assert(figure > 0)
      assert(['runs', 'before-reply'].includes(afterReply))
    },
  },
  {
    name: 'a deployment takes new sessions from the moment it resolves, and a second one of the same changes nothing',
    async run({ ask, deploy, fused, news, platform, remote }) {
      for (const setup of [remote, fused, remote]) {
        assert.equal(await deploy(setup), setupId(setup))
        await news()
        await ask('nothing', undefined)
        assert.deepEqual(
          (await news()).map((record) => record.setup),
          [setupId(setup)],
        )
      }
      assert.equal(await deploy(remote), setupId(remote))
      const status = await platform.status()
      assert.equal(status.setups.find(({ id }) => id === setupId(remote))?.weight, 1)
    },
  },
  {
    name: 'new sessions are shared between setups by weight, and each stays on its own',
    async run({ ask, deploy, fused, news, platform, remote }) {
      const [first, second] = [await deploy(remote), await deploy(fused)]
      await platform.traffic({ [first]: 1, [second]: 1 })
      await news()
      for (let i = 0; i < 24; i++) assert.equal(await ask('relay', 'x', { session: `shared-${i}` }), 'X!')
      const setups = new Map<string, Set<string>>()
      for (const { session, setup } of await news()) setups.set(session, (setups.get(session) ?? new Set()).add(setup))
      assert.equal(setups.size, 24)
      for (const seen of setups.values()) assert.equal(seen.size, 1, 'a session has one setup')
      assert.deepEqual([...new Set([...setups.values()].flatMap((seen) => [...seen]))].sort(), [first, second].sort())
      await platform.traffic({ [first]: 1 })
      for (let i = 0; i < 4; i++) await ask('relay', 'x')
      for (const { setup } of await news()) assert.equal(setup, first)
    },
  },
]
