import { appDir } from '../app/load-app.js'
import { deployedArg, openHost } from '../app/open-host.js'
import { requireTask } from '../app/own-host.js'
import { command } from '../terminal/command.js'
import { Failure } from '../terminal/failure.js'
import { createOutput } from '../terminal/output.js'
import { formatTaskError } from '../terminal/task-error.js'
import { inputArgs, readInput } from './input.js'

export default command({
  help: {
    name: 'send',
    description: 'Hand a task its input and do not wait for the result',
    examples: [
      [`send mail '{"to":"Ada"}'`, 'to the running dev server; without one, runs here until it is done'],
      ['send import @rows.json --json', 'prints the id of what was accepted'],
      ['send import @rows.json --deployed', 'to the deployed application'],
    ],
    json: '{ id, session, waited, dead: [{ id, task, attempts, error }] }   waited: it ran here, and all that it caused is done',
  },
  args: { ...inputArgs, ...deployedArg },
  async run({ args }) {
    const out = createOutput(args.json)
    const dir = appDir(args.cwd)
    const input = await readInput(args.input, args.bytes)
    const { host, own } = await openHost(args.cwd, args.deployed, out)
    if (own === undefined) {
      const accepted = await host.send(args.task, input)
      out.result({ ...accepted, waited: false, dead: [] }, () => `accepted ${accepted.id}`)
      return
    }
    requireTask(own, args.task)
    const { platform } = own
    const known = new Set((await platform.deadLetters()).map(({ id }) => id))
    const accepted = await platform.send(args.task, input)
    out.note(`Accepted ${accepted.id}. No dev server is running: it runs here, and this waits until all is done.`)
    await platform.drained()
    const dead = (await platform.deadLetters()).filter(({ id }) => !known.has(id))
    if (dead.length === 0) {
      out.result({ ...accepted, waited: true, dead: [] }, () => `done ${accepted.id}`)
      return
    }
    const words = dead.map(
      ({ attempts, error, id, task }) =>
        `${task} failed ${attempts} times and is a dead letter, ${id}: ${formatTaskError(error, dir)}`,
    )
    const remedy = "correct the task, then 'fusionize dlq replay'"
    const letters = dead.map(({ attempts, error, id, task }) => ({ id, task, attempts, error }))
    throw new Failure(`${words.join('\n')}\n  ${remedy}`, {
      code: 'DEAD_LETTER',
      message: words.join('\n'),
      ...accepted,
      waited: true,
      dead: letters,
    })
  },
})
