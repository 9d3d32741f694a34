import { readFileSync } from 'node:fs'
import { type ArgsDef, runCommand } from 'citty'
import { suggest } from 'fusionize'
import { commands } from './commands/index.js'
import { checkArgs } from './terminal/check-args.js'
import { type Command, globalArgs } from './terminal/command.js'
import { explain } from './terminal/failure.js'
import { cleanUp, endOnSignals, stopSignal } from './terminal/lifetime.js'
import { renderHelp, renderOverview } from './terminal/render-help.js'
import { UsageError } from './terminal/usage-error.js'

process.setSourceMapsEnabled(true)
endOnSignals()
process.once('uncaughtException', (error) => fail(error).finally(() => process.exit()))
const raw = process.argv.slice(2)
try {
  await main(raw)
  await cleanUp()
} catch (error) {
  await fail(error)
}

async function fail(error: unknown): Promise<void> {
  await cleanUp().catch(() => {})
  // what fails because the user ends it is no failure; the signal's handler exits
  if (stopSignal.aborted) return
  const { text, exitCode, document } = explain(error)
  console.error(text)
  if (raw.includes('--json')) console.log(JSON.stringify(document, null, 2))
  process.exitCode = exitCode
}

async function main(args: string[]): Promise<void> {
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  const wantsHelp = options.includes('--help') || options.includes('-h')
  const [name, rest] = takeName(args)
  if (name === undefined) {
    if (options.includes('--version') || options.includes('-v')) return console.log(version())
    if (wantsHelp || args.length === 0) return showOverview()
    checkArgs(args, globalArgs, { name: '', description: '', examples: [] })
    throw new UsageError('no command was given')
  }
  const known = commands[name]
  if (!known) throw new UsageError(`unknown command '${name}'${suggest(name, Object.keys(commands))}`)
  await runOne(await known(), rest, [], wantsHelp)
}

async function runOne(command: Command, args: string[], parents: string[], wantsHelp: boolean): Promise<void> {
  const inner = command.subCommands as Record<string, Command> | undefined
  if (inner) {
    const [name, rest] = takeName(args)
    const found = name === undefined ? undefined : inner[name]
    const path = [...parents, command.help.name]
    if (found) return runOne(found, rest, path, wantsHelp)
    if (name === undefined && wantsHelp) return console.log(renderHelp(command, parents))
    const names = Object.keys(inner)
    const what = name === undefined ? 'needs one of' : `has no '${name}'${suggest(name, names)}; it has`
    throw new UsageError(`'fusionize ${path.join(' ')}' ${what} ${names.join(', ')}`, path.join(' '))
  }
  if (wantsHelp) return console.log(renderHelp(command, parents))
  const help = { ...command.help, name: [...parents, command.help.name].join(' ') }
  checkArgs(args, command.args as ArgsDef, help)
  await runCommand(command, { rawArgs: args })
}

/** The first argument that is no flag and no global flag's value, and all the others. */
function takeName(args: string[]): [string | undefined, string[]] {
  for (let i = 0; i < args.length && args[i] !== '--'; i++) {
    if (args[i] === '--cwd') i++
    else if (!args[i]?.startsWith('-')) return [args[i], [...args.slice(0, i), ...args.slice(i + 1)]]
  }
  return [undefined, args]
}

async function showOverview(): Promise<void> {
  const all = await Promise.all(Object.values(commands).map((load) => load()))
  console.log(renderOverview(all, version()))
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}
