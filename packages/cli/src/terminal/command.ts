import type { ArgsDef, CommandContext, CommandDef, ParsedArgs } from 'citty'

/** A command of `fusionize`: what citty needs, and what `--help` says beyond it. */
export interface Command<T extends ArgsDef = ArgsDef> extends CommandDef<T> {
  readonly help: Help
}

export interface Help {
  name: string
  description: string
  /** Command lines without `fusionize`, each with what it does. */
  examples: [line: string, does: string][]
  /** What `--json` prints, as a TypeScript type on one line or a few. */
  json?: string
  /** Takes any number of positional arguments after the declared ones. */
  rest?: boolean
}

/** Options that every command has. */
export const globalArgs = {
  cwd: { type: 'string', valueHint: 'dir', default: '.', description: 'Folder of the application' },
  json: { type: 'boolean', default: false, description: 'Print one JSON document on stdout, all else on stderr' },
} as const satisfies ArgsDef

export type GlobalArgs = typeof globalArgs

/** Defines a command; `run` gets its own arguments and the global ones. */
export function command<const T extends ArgsDef>(definition: {
  help: Help
  args: T
  run: (context: CommandContext<T & GlobalArgs>) => Promise<void> | void
}): Command {
  const { help, args, run } = definition
  return {
    help,
    meta: { name: help.name, description: help.description },
    args: { ...args, ...globalArgs },
    run: run as CommandDef['run'],
  } as Command
}

/** A command that only holds others. */
export function commandGroup(help: Help, commands: Record<string, Command>): Command {
  return {
    help,
    meta: { name: help.name, description: help.description },
    args: globalArgs,
    subCommands: commands,
  } as Command
}

export type ArgsOf<T extends ArgsDef> = ParsedArgs<T & GlobalArgs>
