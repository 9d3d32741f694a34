import { strict as assert } from 'node:assert'
import { errorFromWire } from 'fusionize/runtime'
import type { ConformanceCase } from '../index.js'

export const errors: ConformanceCase[] = [
  {
    name: "an error crosses with its name, message, code, cause and properties, to a task and to the platform's caller",
    async run({ ask, deploy, errorOf, fused, remote }) {
      for (const setup of [remote, fused]) {
        await deploy(setup)
        const caught = JSON.parse((await ask('rely', false)) as string)
        const expected = { name: 'StockError', message: 'no bolts left', code: 'OUT_OF_STOCK', item: 'bolt' }
        assert.deepEqual(caught, { ...expected, cause: '0 of 3' })
        const error = errorFromWire(await errorOf('rely', true)) as Error & { code: string; item: string }
        const { name, message, code, item } = error
        assert.deepEqual({ name, message, code, item }, expected)
        assert.equal((error.cause as Error).message, '0 of 3')
        assert.match(error.stack ?? '', /StockError: no bolts left\n {4}at /)
      }
    },
  },
  {
    name: 'the first item that fails is the error of a map',
    async run({ deploy, errorOf, fused, remote }) {
      for (const setup of [remote, fused]) {
        await deploy(setup)
        const { name, message } = await errorOf('squares', [1, -2, 3, -4])
        assert.deepEqual([name, message], ['RangeError', 'no square of -2'])
      }
    },
  },
  {
    name: 'an input from outside is checked against the schema of its task',
    async run({ ask, deploy, errorOf, remote }) {
      await deploy(remote)
      assert.equal(await ask('checked', { count: 3 }), 3)
      const { code, message } = await errorOf('checked', { count: 0 })
      assert.equal(code, 'INVALID_INPUT')
      assert.match(message, /count/)
    },
  },
  {
    name: 'a task that does not exist is UNKNOWN_TASK',
    async run({ deploy, errorOf, remote }) {
      await deploy(remote)
      assert.equal((await errorOf('no-such-task', 1)).code, 'UNKNOWN_TASK')
    },
  },
  {
    name: 'a task that takes too long is TIMEOUT, and its function goes on to serve',
    async run({ ask, deploy, errorOf, remote }) {
      await deploy(remote)
      const { code, message } = await errorOf('slow', 60_000)
      assert.equal(code, 'TIMEOUT')
      assert.match(message, /'slow'.*1000 ms/)
      assert.equal(await ask('slow', 1), 1)
    },
  },
  {
    name: 'a sandbox that ends is SANDBOX_CRASHED, and another serves',
    async run({ ask, deploy, errorOf, remote }) {
      await deploy(remote)
      assert.equal((await errorOf('crash', 3)).code, 'SANDBOX_CRASHED')
      assert.equal(await ask('crash', 0), 'alive')
    },
  },
  {
    name: 'a caller that gives up hears CANCELLED or its own reason',
    async run({ deploy, platform, remote }) {
      await deploy(remote)
      const stop = new AbortController()
      const result = platform.invoke('slow', '900', { signal: stop.signal })
      stop.abort()
      assert.equal((await result).ok, false)
      await platform.drained()
    },
  },
]
