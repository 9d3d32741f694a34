import { deployedArg, openHost } from '../app/open-host.js'
import { command } from '../terminal/command.js'
import { createOutput } from '../terminal/output.js'

export default command({
  help: {
    name: 'flush',
    description: 'Fire the batches that wait for more: no more objects come',
    examples: [
      ['flush', 'what byBatchSize(n, { flush: true }) still holds, in the running dev server'],
      ['flush --json', 'without a dev server it runs here, and this waits until all is done'],
      ['flush --deployed', 'in what is deployed; returns when what is fired is kept'],
    ],
    json: '{ fired, waited }   fired: how many batches',
  },
  args: deployedArg,
  async run({ args }) {
    const out = createOutput(args.json)
    const { host, own } = await openHost(args.cwd, args.deployed, out)
    const fired = await host.flush()
    await own?.platform.drained()
    out.result({ fired, waited: own !== undefined }, () => `${fired} ${fired === 1 ? 'batch' : 'batches'} fired`)
  },
})
