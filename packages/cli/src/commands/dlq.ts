import type { DeadLetter } from '@fusionize/platform'
import pc from 'picocolors'
import { deployedArg, openHost, openReadingHost } from '../app/open-host.js'
import { command, commandGroup } from '../terminal/command.js'
import { Failure } from '../terminal/failure.js'
import { createOutput } from '../terminal/output.js'
import { plural, table } from '../terminal/table.js'
import { UsageError } from '../terminal/usage-error.js'

const list = command({
  help: {
    name: 'list',
    description: 'List dead letters: sends that failed as often as they may',
    examples: [
      ['dlq list', 'of the running dev server, else of what is kept in the folder'],
      ['dlq list --deployed', 'of what is deployed'],
    ],
    json: '{ deadLetters: [{ id, task, session, attempts, accepted, failed, error: { name, message, code, stack }, input }] }',
  },
  args: deployedArg,
  async run({ args }) {
    const out = createOutput(args.json)
    const letters = await (await openReadingHost(args.cwd, args.deployed)).deadLetters()
    out.result({ deadLetters: letters.map(toJson) }, () => {
      if (letters.length === 0) return 'no dead letters'
      const rows = letters.map(({ attempts, error, failed, id, input, task }) => [
        id,
        pc.bold(task),
        `${attempts}`,
        new Date(failed).toISOString().slice(0, 19).replace('T', ' '),
        `${error.name}: ${cut(error.message, 60)}`,
        pc.dim(cut(shown(input), 40)),
      ])
      return table(['id', 'task', 'attempts', 'failed (UTC)', 'error', 'input'], rows, ['left', 'left', 'right'])
    })
  },
})

const replay = command({
  help: {
    name: 'replay',
    description: 'Run dead letters again',
    examples: [
      ['dlq replay 7f3a…', 'one, or several, by id'],
      ['dlq replay --all', 'every one; without a dev server they run here, and this waits until all is done'],
    ],
    json: '{ replayed, waited, dead }   dead: how many failed again, when it waited',
    rest: true,
  },
  args: { ...deployedArg, all: { type: 'boolean', default: false, description: 'All of them' } },
  async run({ args }) {
    const out = createOutput(args.json)
    const ids = args._
    if (args.all === ids.length > 0)
      throw new UsageError('give the ids of dead letters, or --all for every one', 'dlq replay')
    const { host, own } = await openHost(args.cwd, args.deployed, out)
    const known = new Set((await host.deadLetters()).map(({ id }) => id))
    const unknown = ids.filter((id) => !known.has(id))
    if (unknown.length > 0)
      throw new Failure(`no dead letter has the id ${unknown.join(', ')}; 'fusionize dlq list' shows them`)
    const replayed = await host.replay(args.all ? undefined : ids)
    await own?.platform.drained()
    const again = new Set(args.all ? known : ids)
    const dead = own ? (await host.deadLetters()).filter(({ id }) => again.has(id)).length : 0
    const words = `${plural(replayed, 'dead letter')} replayed`
    const document = { replayed, waited: own !== undefined, dead }
    if (dead > 0) throw new Failure(`${words}, ${dead} failed again; 'fusionize dlq list' shows why`, document)
    out.result(document, () => (own ? `${words}, all done` : words))
  },
})

export default commandGroup(
  {
    name: 'dlq',
    description: 'List dead letters, or run them again',
    examples: [
      ['dlq list', 'what failed as often as it may'],
      ['dlq replay --all', 'try all of it again'],
    ],
  },
  { list, replay },
)

function toJson({ input, ...letter }: DeadLetter) {
  const base64 = input instanceof Uint8Array ? { base64: Buffer.from(input).toString('base64') } : undefined
  return { ...letter, input: base64 ?? (input === undefined ? null : JSON.parse(input as string)) }
}

function shown(input: DeadLetter['input']): string {
  return input instanceof Uint8Array ? `${input.length} bytes` : (input ?? '')
}

function cut(text: string, length: number): string {
  const line = text.replaceAll('\n', ' ')
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}
