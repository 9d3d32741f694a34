import { sortedSet } from './canonical.js'
import type { FunctionSpec } from './types.js'
import { modes } from './types.js'

/** What is wrong with the form of a function's spec (it may come from a file), with the remedy; undefined when nothing is. */
export function shapeProblem(spec: FunctionSpec): string | undefined {
  if (!isObject(spec)) return 'it must be an object'
  const known = ['memory', 'inline', 'bundle', 'buckets', 'concurrency', 'parallel', 'passing', 'prewarm']
  const absent = known.find((field) => field !== 'parallel' && !Object.hasOwn(spec, field))
  if (absent) return `'${absent}' is missing; add it`
  const unknown = Object.keys(spec).find((field) => !known.includes(field))
  if (unknown) return `'${unknown}' is no field of a function; remove it`
  if (!isObject(spec.inline)) return `'inline' must be an object with a list for each of ${modes.join(', ')}`
  const stray = Object.keys(spec.inline).find((mode) => !modes.some((known) => known === mode))
  if (stray) return `'inline.${stray}' is no mode; use ${modes.join(', ')}`
  for (const mode of modes) {
    const problem = listProblem(`inline.${mode}`, spec.inline[mode])
    if (problem) return problem
  }
  return (
    listProblem('buckets', spec.buckets) ??
    valueProblem(spec) ??
    recordProblem('bundle', spec.bundle, (x) => typeof x === 'number', 'numbers of items') ??
    recordProblem('prewarm', spec.prewarm, isMs, 'ms, 0 or more') ??
    recordProblem('passing', spec.passing, (x) => isOneOf(x, PASSING), `one of ${PASSING.join(', ')}`)
  )
}

const PASSING = ['payload', 'local', 'direct', 'store']
const PARALLEL = ['loop', 'threads', 'processes']

function valueProblem(spec: FunctionSpec): string | undefined {
  if (typeof spec.memory !== 'number') return "'memory' must be a number of MB"
  if (typeof spec.concurrency !== 'number') return "'concurrency' must be a number"
  if (spec.parallel !== undefined && !isOneOf(spec.parallel, PARALLEL))
    return `'parallel' must be one of ${PARALLEL.join(', ')}, or absent`
  return undefined
}

function listProblem(field: string, list: unknown): string | undefined {
  if (!Array.isArray(list) || list.some((x) => typeof x !== 'string')) return `'${field}' must be a list of names`
  const ordered = sortedSet(list as string[])
  if (ordered.length === list.length && ordered.every((name, i) => name === list[i])) return undefined
  return `'${field}' must be sorted and without duplicates: [${ordered.join(', ')}] (normalizeSetup does it)`
}

function recordProblem(field: string, record: unknown, isValid: (value: unknown) => boolean, what: string) {
  if (!isObject(record)) return `'${field}' must be an object from tasks to ${what}`
  const bad = Object.entries(record).find(([, value]) => !isValid(value))
  return bad ? `'${field}.${bad[0]}' is ${JSON.stringify(bad[1])}; it must be ${what}` : undefined
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isMs(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isOneOf(value: unknown, words: readonly string[]): boolean {
  return typeof value === 'string' && words.includes(value)
}
