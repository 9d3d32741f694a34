import { suggest } from 'fusionize'
import type { TaskInfo } from 'fusionize/setup'
import type { Node } from 'oxc-parser'
import { type Constant, evaluate, propertyName, type Scope } from './constants.js'
import type { Report } from './report.js'
import type { AnyNode } from './source.js'
import { unwrap } from './syntax.js'

type Facts = Omit<TaskInfo, 'name' | 'file' | 'line'>
/** What the options of a task say; `result` is only known when all files are. */
export interface Options {
  facts: Facts
  result?: AnyNode
}
/** What an option must be, and how it becomes part of `TaskInfo`; undefined = the value has the wrong shape. */
interface OptionRule {
  must: string
  read(value: Constant): Facts | undefined
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const httpShape = new RegExp(`^(${methods.join('|')}) (/|(?:/(?:[\\w.~-]+|:[A-Za-z_]\\w*))+(?:/\\*)?|/\\*)$`)

const rules: Record<string, OptionRule> = {
  timeout: {
    must: 'a number of milliseconds above 0',
    read: (value) => (isPositive(value) ? { timeoutMs: value } : undefined),
  },
  retries: {
    must: 'a whole number, 0 or more',
    read: (value) => (Number.isInteger(value) && (value as number) >= 0 ? { retries: value as number } : undefined),
  },
  memory: {
    must: 'an object { min, max } of MB above 0, with min not above max',
    read: (value) => (isMemory(value) ? { memory: value } : undefined),
  },
  isolate: {
    must: 'true or false',
    read: (value) => (typeof value === 'boolean' ? { isolate: value } : undefined),
  },
  permissions: {
    must: "an array of strings such as ['s3:GetObject']",
    read: (value) =>
      Array.isArray(value) && value.every((item) => typeof item === 'string')
        ? { permissions: value as string[] }
        : undefined,
  },
}
const optionNames = ['http', 'input', ...Object.keys(rules), 'result']

/** Reads the options literal of `task(name, options, body)`. */
export function readOptions(task: string, expression: AnyNode, scope: Scope, report: Report): Options {
  const options = unwrap(expression)
  if (options.type !== 'ObjectExpression') {
    report(
      'option-not-constant',
      options,
      `the options of task '${task}' are not an object literal`,
      'write them as { … } in the call: the build reads them without running the code',
    )
    return { facts: {} }
  }
  const facts: Facts = {}
  let result: AnyNode | undefined
  for (const property of options.properties) {
    const name = property.type === 'Property' ? propertyName(property) : undefined
    if (property.type !== 'Property' || name === undefined)
      report(
        'option-not-constant',
        property,
        `the options of task '${task}' have a part that is only known at run time`,
        'write every option by name, without spreading or computed names',
      )
    else if (!optionNames.includes(name))
      report(
        'unknown-option',
        property.key,
        `task '${task}' has an unknown option '${name}'${suggest(name, optionNames)}`,
        `options are ${optionNames.join(', ')}`,
      )
    else if (name === 'input') facts.hasSchema = true
    else if (name === 'result') result = property.value
    else Object.assign(facts, readOption(task, name, property.value, scope, report))
  }
  return { facts, ...(result && { result }) }
}

function readOption(task: string, name: string, expression: Node, scope: Scope, report: Report): Facts | undefined {
  const evaluated = evaluate(expression, scope)
  if ('notConstant' in evaluated) {
    report(
      'option-not-constant',
      evaluated.notConstant,
      `option '${name}' of task '${task}' is not a constant`,
      'use literals, arithmetic and constants of this file: the build reads options without running the code',
    )
    return undefined
  }
  const { value } = evaluated
  if (value === undefined) return undefined
  if (name === 'http') {
    const http = typeof value === 'string' ? readHttp(value) : undefined
    if (!http)
      report(
        'http-pattern',
        expression,
        `option 'http' of task '${task}' is ${show(value)}`,
        `it must be a method (${methods.join(', ')}), a space and a path such as 'POST /readings/:id'`,
      )
    else if (/^\/_fusionize(\/|$)/.test(http.path))
      report(
        'http-pattern',
        expression,
        `option 'http' of task '${task}' is ${show(value)}, whose path is the platform's own`,
        "choose a path that does not begin with '/_fusionize'",
      )
    return http && { http }
  }
  const rule = rules[name] as OptionRule
  const facts = rule.read(value)
  if (!facts)
    report(
      'option-value',
      expression,
      `option '${name}' of task '${task}' is ${show(value)}`,
      `it must be ${rule.must}`,
    )
  return facts
}

function readHttp(text: string): { method: string; path: string } | undefined {
  const match = httpShape.exec(text)
  return match ? { method: match[1] as string, path: match[2] as string } : undefined
}

function isPositive(value: Constant): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function isMemory(value: Constant): value is { min?: number; max?: number } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { min, max, ...rest } = value
  const bounds = [min, max].filter((bound) => bound !== undefined)
  if (Object.keys(rest).length > 0 || !bounds.every(isPositive)) return false
  return min === undefined || max === undefined || (min as number) <= (max as number)
}

function show(value: Constant): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}
