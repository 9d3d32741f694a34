import { strict as assert } from 'node:assert'
import type { ConformanceCase } from '../index.js'

export const asynchronous: ConformanceCase[] = [
  {
    name: 'a send runs, inline and remote, in the session of its sender',
    async run({ ask, deploy, fused, news, remote }) {
      for (const setup of [remote, fused]) {
        await deploy(setup)
        await news()
        assert.equal(await ask('notify', 'x', { session: 'sender' }), 'told')
        const records = await news()
        const spans = records.flatMap(({ session, spans }) => spans.map((span) => ({ ...span, session })))
        const stored = spans.filter(({ task, route }) => task === 'store' && route === 'inline')
        assert.deepEqual(
          stored.map(({ session, error }) => [session, error]),
          [['sender', undefined]],
        )
      }
    },
  },
  {
    name: 'what a reply leaves behind does not delay it where the platform lets work go on',
    async run({ ask, deploy, fused, news, platform }) {
      await deploy(fused)
      await news()
      assert.equal(await ask('late', 400), 'early')
      const [record] = await news()
      assert(record)
      const pause = record.spans.find(({ task }) => task === 'pause')
      assert(pause && pause.end - pause.start >= 390, 'it ran')
      if (platform.facts().afterReply === 'runs') assert(record.reply < pause.end, 'the reply left before its end')
      else assert(record.reply >= 0)
    },
  },
  {
    name: 'a send from outside runs once',
    async run({ deploy, news, remote, send }) {
      await deploy(remote)
      await news()
      const { id, session } = await send('echo', { a: 1 })
      const records = await news()
      assert.deepEqual(
        records.map((record) => [record.invocation, record.session, record.mode, record.attempt]),
        [[id, session, 'send', 1]],
      )
    },
  },
  {
    name: 'a send that fails is tried again, with the number of the attempt',
    async run({ deploy, letters, news, remote, send }) {
      await deploy(remote)
      await news()
      const { id } = await send('flaky', 'x')
      const attempts = (await news()).filter(({ invocation }) => invocation === id).map(({ attempt }) => attempt)
      assert.deepEqual(attempts, [1, 2])
      assert.deepEqual(
        (await letters()).filter((letter) => letter.id === id),
        [],
      )
    },
  },
  {
    name: 'a send that exhausts its retries is a dead letter, with its error and input, and can be replayed',
    async run({ deploy, letters, news, platform, remote, send }) {
      await deploy(remote)
      await news()
      const { id, session } = await send('doomed', 'input')
      await news()
      const of = async () => (await letters()).filter((letter) => letter.id === id)
      const [letter] = await of()
      assert(letter, 'it is in the list')
      assert.deepEqual(
        [letter.task, letter.session, letter.attempts, letter.input, letter.error.name, letter.error.message],
        ['doomed', session, 2, '"input"', 'TypeError', 'never works'],
      )
      assert.equal((await of()).length, 1, 'a look does not take it away')
      assert.equal(await platform.replay([id]), 1)
      const again = (await news()).filter(({ invocation }) => invocation === id).map(({ attempt }) => attempt)
      assert.deepEqual(again, [1, 2])
      assert.equal((await of()).length, 1, 'it failed again')
    },
  },
  {
    name: 'an inline send that fails is tried again elsewhere, and its caller hears nothing of it',
    async run({ ask, deploy, fused, letters, news }) {
      await deploy(fused)
      await news()
      assert.equal(await ask('careless', 'x'), 'sent')
      const records = await news()
      const runs = records
        .flatMap(({ spans }) => spans)
        .filter(({ task, route }) => task === 'doomed' && route === 'inline')
      assert.equal(runs.length, 2)
      assert.equal((await letters()).filter(({ task, input }) => task === 'doomed' && input === '"x"').length, 1)
    },
  },
]
