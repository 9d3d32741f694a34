import { strict as assert } from 'node:assert'
import { spanId } from 'fusionize/record'
import type { ConformanceCase } from '../index.js'

export const observing: ConformanceCase[] = [
  {
    name: 'each invocation has one record, which names its setup, its function and its caller',
    async run({ ask, deploy, news, remote }) {
      const setup = await deploy(remote)
      await news()
      await ask('relay', 'x', { session: 'seen' })
      const records = await news()
      const relay = records.find((record) => record.function === 'relay')
      const upper = records.find((record) => record.function === 'upper')
      assert(relay && upper)
      assert.equal(records.length, 2)
      const call = relay.spans.findIndex(({ task }) => task === 'upper')
      assert.deepEqual([relay.setup, upper.setup], [setup, setup])
      assert.deepEqual([relay.session, upper.session, upper.trace], ['seen', 'seen', relay.trace])
      assert.deepEqual([relay.parent, upper.parent], [null, spanId(relay.span, call)])
      assert.equal(relay.spans[call]?.route, 'remote')
      for (const { memory, wall, reply, peakMb } of records) assert(memory > 0 && wall > 0 && reply > 0 && peakMb > 0)
    },
  },
  {
    name: 'records are read once, from where the last reading ended',
    async run({ ask, deploy, news, platform, remote }) {
      await deploy(remote)
      await news()
      let before = await platform.records()
      while (before.lines.length > 0) before = await platform.records(before.next)
      for (const session of ['one', 'two', 'three']) await ask('nothing', undefined, { session })
      await platform.drained()
      const { lines, next } = await platform.records(before.next)
      assert.deepEqual(lines.map((line) => JSON.parse(line).session).sort(), ['one', 'three', 'two'])
      assert.deepEqual((await platform.records(next)).lines, [])
    },
  },
  {
    name: 'the first invocation of a sandbox is cold, a later one is warm',
    async run({ ask, deploy, fused, news }) {
      await deploy(fused)
      await ask('echo', 1)
      await ask('echo', 2)
      const records = (await news()).filter((record) => record.function === 'echo').slice(-2)
      assert.equal(records.at(-1)?.cold, null)
    },
  },
  {
    name: "a client's trace goes on",
    async run({ ask, deploy, news, remote }) {
      await deploy(remote)
      await news()
      const [trace, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
      await ask('nothing', undefined, { traceparent: `00-${trace}-${parent}-01` })
      const [record] = await news()
      assert.deepEqual([record?.trace, record?.parent], [trace, parent])
    },
  },
]
