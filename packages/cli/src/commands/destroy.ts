import { confirm, isCancel } from '@clack/prompts'
import pc from 'picocolors'
import { loadApp } from '../app/load-app.js'
import { openAws } from '../app/open-aws.js'
import { command } from '../terminal/command.js'
import { Failure } from '../terminal/failure.js'
import { stopSignal } from '../terminal/lifetime.js'
import { createOutput } from '../terminal/output.js'
import { plural } from '../terminal/table.js'
import { UsageError } from '../terminal/usage-error.js'

export default command({
  help: {
    name: 'destroy',
    description: 'Remove everything that deploy made on AWS, with its data and logs',
    examples: [
      ['destroy', 'shows what it would remove, and asks'],
      ['destroy --yes', 'asks nothing'],
    ],
    json: '{ removed: [resource], left: [resource] }   left: has a name of the app but not its tag',
  },
  args: {
    yes: { type: 'boolean', alias: 'y', default: false, description: 'Ask nothing' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const asks = process.stdin.isTTY && process.stdout.isTTY && !args.yes && !args.json
    const loaded = await loadApp(args.cwd, {}, 'aws')
    const { clients, options } = await openAws(loaded)
    const { destroyApp, planDestruction } = await import('@fusionize/aws')
    if (!args.yes) {
      const { removed } = await planDestruction(loaded.name, options, clients)
      for (const resource of removed) out.note(`would remove ${resource}`)
      if (removed.length > 0 && !asks)
        throw new UsageError(`${plural(removed.length, 'resource')} would be removed for good; say --yes`, 'destroy')
      if (removed.length > 0) {
        const answer = await confirm({
          message: `Remove ${plural(removed.length, 'resource')} for good?`,
          initialValue: false,
        })
        if (isCancel(answer) || !answer) throw new Failure('nothing was removed')
      }
    }
    const { left, removed } = await destroyApp(loaded.name, options, clients, {
      signal: stopSignal,
      onRemoved: (resource) => out.note(`removed ${resource}`),
    })
    out.result({ removed, left }, () =>
      [
        removed.length === 0
          ? `${pc.bold(loaded.name)}: there was nothing`
          : `${pc.bold(loaded.name)}: ${plural(removed.length, 'resource')} removed`,
        ...left.map((resource) => `  left ${resource}: it does not carry the tag of the app`),
      ].join('\n'),
    )
  },
})
