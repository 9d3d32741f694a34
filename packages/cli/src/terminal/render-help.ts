import type { ArgDef, ArgsDef } from 'citty'
import pc from 'picocolors'
import { type Command, globalArgs } from './command.js'
import { columns } from './table.js'

/** The text of `fusionize <command> --help`. */
export function renderHelp(command: Command, parents: readonly string[]): string {
  const { help } = command
  const args = (command.args ?? {}) as ArgsDef
  const subCommands = (command.subCommands ?? {}) as Record<string, Command>
  const name = ['fusionize', ...parents, help.name].join(' ')
  const positionals = Object.entries(args).filter(([, x]) => x.type === 'positional')
  const flags = Object.entries(args).filter(([key, x]) => x.type !== 'positional' && !(key in globalArgs))
  const commands = Object.entries(subCommands)
  const usage = [
    name,
    ...positionals.map(([key, x]) => (x.required === false ? `[${key}]` : `<${key}>`)),
    ...(help.rest ? ['[…]'] : []),
    ...(commands.length > 0 ? [`<${commands.map(([key]) => key).join('|')}>`] : []),
    '[options]',
  ]
  return sections([
    [help.description, []],
    ['Usage', [usage.join(' ')]],
    ['Commands', columns(commands.map(([key, x]) => [pc.cyan(key), x.help.description]))],
    ['Arguments', columns(positionals.map(([key, x]) => [pc.cyan(key), x.description ?? '']))],
    ['Options', columns(flags.map(row))],
    ['Global options', columns([...Object.entries(globalArgs).map(row), [pc.cyan('--help'), 'Show this']])],
    ['Examples', columns(help.examples.map(([line, does]) => [`fusionize ${line}`, pc.dim(does)]))],
    ['With --json', help.json?.split('\n') ?? []],
  ])
}

/** The text of `fusionize --help`. */
export function renderOverview(commands: readonly Command[], version: string): string {
  return sections([
    [`fusionize ${version}: write small tasks; it decides what becomes a function`, []],
    ['Usage', ['fusionize <command> [options]']],
    ['Commands', columns(commands.map(({ help }) => [pc.cyan(help.name), help.description]))],
    [
      'Global options',
      columns([
        ...Object.entries(globalArgs).map(row),
        [pc.cyan('--help'), 'Show this, or the help of a command'],
        [pc.cyan('--version'), 'Print the version'],
      ]),
    ],
    [
      'Examples',
      columns([
        ['fusionize init shop', pc.dim('a new application in the folder shop')],
        ['fusionize dev --cwd shop', pc.dim('run it, and again after every change')],
        ['fusionize optimize --cwd shop', pc.dim('measure it and find a better setup')],
      ]),
    ],
  ])
}

function sections(parts: readonly [title: string, lines: readonly string[]][]): string {
  return parts
    .filter(([, lines], i) => i === 0 || lines.length > 0)
    .map(([title, lines]) => [pc.bold(title), ...lines.map((line) => `  ${line}`)].join('\n'))
    .join('\n\n')
}

function row([name, definition]: [string, ArgDef]): [string, string] {
  const aliases = 'alias' in definition ? [definition.alias ?? []].flat() : []
  const value =
    definition.type === 'boolean'
      ? ''
      : definition.type === 'enum'
        ? ` <${definition.options?.join('|')}>`
        : ` <${definition.valueHint ?? 'value'}>`
  const fallback =
    definition.default === undefined || definition.default === false ? '' : pc.dim(` (default ${definition.default})`)
  const flag = [...aliases.map((alias) => `-${alias}`), `--${name}`].join(', ')
  return [pc.cyan(flag + value), `${definition.description ?? ''}${fallback}`]
}
