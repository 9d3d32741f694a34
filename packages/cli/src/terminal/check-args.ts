import { parseArgs } from 'node:util'
import type { ArgDef, ArgsDef } from 'citty'
import { suggest } from 'fusionize'
import type { Help } from './command.js'
import { UsageError } from './usage-error.js'

/**
 * Refuses what citty would pass over: unknown flags, flags without their value, values that are none of the choices,
 * missing and surplus arguments.
 * @throws {UsageError}
 */
export function checkArgs(raw: readonly string[], args: ArgsDef, help: Help): void {
  const wrong = (message: string) => new UsageError(message, help.name)
  const { tokens } = parseArgs({
    args: [...raw],
    options: optionsOf(args),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const [name, definition] = find(args, token.name) ?? []
    if (name === undefined || definition === undefined) throw wrong(unknownFlag(token.rawName, token.name, args))
    if (definition.type === 'boolean') {
      if (token.value !== undefined) throw wrong(`--${name} takes no value`)
      continue
    }
    if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))
      throw wrong(`--${name} needs a value${definition.valueHint ? `: --${name} <${definition.valueHint}>` : ''}`)
    const choices = definition.type === 'enum' ? (definition.options ?? []) : []
    if (choices.length > 0 && !choices.includes(token.value))
      throw wrong(`--${name} must be ${choices.join(' or ')}, not '${token.value}'${suggest(token.value, choices)}`)
  }
  checkPositionals(positionals, args, help, wrong)
}

/** A number given as a flag. @throws {UsageError} when it is none, or not within bounds */
export function numberFlag(
  name: string,
  value: string | undefined,
  bounds: { min: number; max?: number; whole?: boolean },
): number | undefined {
  if (value === undefined) return undefined
  const number = value.trim() === '' ? Number.NaN : Number(value)
  const fits =
    number >= bounds.min && number <= (bounds.max ?? Number.MAX_VALUE) && (!bounds.whole || Number.isInteger(number))
  if (fits) return number
  const range = bounds.max === undefined ? `${bounds.min} or more` : `from ${bounds.min} to ${bounds.max}`
  throw new UsageError(`--${name} must be a ${bounds.whole ? 'whole ' : ''}number ${range}, not '${value}'`)
}

function checkPositionals(given: string[], args: ArgsDef, help: Help, wrong: (message: string) => UsageError): void {
  const declared = Object.entries(args).filter(([, definition]) => definition.type === 'positional')
  const missing = declared.slice(given.length).find(([, { required }]) => required !== false)
  if (missing) throw wrong(`<${missing[0]}> is missing: ${missing[1].description ?? ''}`)
  const surplus = given[declared.length]
  if (surplus !== undefined && !help.rest) throw wrong(`'${surplus}' is one argument too many`)
}

function unknownFlag(shown: string, name: string, args: ArgsDef): string {
  const known = [...Object.keys(args).filter((key) => args[key]?.type !== 'positional'), 'help', 'version']
  const near = suggest(name, known).replace(/'(.*)'/, "'--$1'")
  const negative = /^-\d/.test(shown) ? `; if it is an argument, put -- before it` : ''
  return `unknown option ${shown}${near}${negative}`
}

function find(args: ArgsDef, name: string): [string, ArgDef] | undefined {
  const positive = name.startsWith('no-') && args[name.slice(3)]?.type === 'boolean' ? name.slice(3) : name
  return Object.entries(args).find(
    ([key, definition]) =>
      definition.type !== 'positional' && (key === positive || aliases(definition).includes(positive)),
  )
}

function optionsOf(args: ArgsDef) {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {}
  for (const [name, definition] of Object.entries(args)) {
    if (definition.type === 'positional') continue
    const short = aliases(definition).find((alias) => alias.length === 1)
    options[name] = { type: definition.type === 'boolean' ? 'boolean' : 'string', ...(short && { short }) }
  }
  return options
}

function aliases(definition: ArgDef): string[] {
  return 'alias' in definition ? [definition.alias ?? []].flat() : []
}
