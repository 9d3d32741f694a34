// A platform in a process of its own, so that a test can kill it. Told by its parent: what to run, then requests.
import { createLocalPlatform } from '@fusionize/local'

const { options, build } = JSON.parse(process.argv[2])
const platform = await createLocalPlatform(options)
await platform.deploy(build)

const answers = {
  send: async ({ n }) => void (await platform.send('first', JSON.stringify({ n }), { id: `send-${n}` })),
  invoke: async ({ n, session }) => {
    const result = await platform.invoke('first', JSON.stringify({ n }), { session })
    if (!result.ok) throw new Error(result.error.message)
  },
  drain: async () => {
    await platform.drained()
    return { dead: (await platform.deadLetters()).length }
  },
  stop: () => platform.destroy(),
}

process.on('message', async (request) => {
  const answer = await answers[request.ask](request).then(
    (value) => ({ ...request, value }),
    (error) => ({ ...request, error: String(error) }),
  )
  process.send(answer)
  if (request.ask === 'stop') process.disconnect()
})
// The parent is gone: so is everything else.
process.on('disconnect', () => process.exit())
process.send({ ask: 'ready' })
