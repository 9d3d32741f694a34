import type { Node } from 'oxc-parser'
import { type Constant, constantScope, evaluate, propertyName } from './constants.js'
import type { Call } from './definitions.js'
import type { TaskFiles } from './exports.js'
import type { Graph, GraphFile } from './graph.js'
import { type Place, writtenOut } from './names.js'
import { memberName } from './syntax.js'

/** Constructors of triggers, with the place of their options among the arguments. */
export const optionsAt = {
  immediate: 0,
  byName: 1,
  bySet: 1,
  byBatchSize: 1,
  byTime: 1,
  redundant: 2,
  dynamicJoin: 0,
  dynamicGroup: 0,
  custom: 1,
} as const
export type TriggerKind = keyof typeof optionsAt

/** The call of a constructor that makes a trigger. */
export interface TriggerSource {
  kind: TriggerKind
  /** The call's file. */
  path: string
  call: Call
  /** The arguments before the options. */
  args: Place[]
  /** The options by name; undefined when they are only known at run time. */
  options: Map<string, Place> | undefined
}

/**
 * Finds where a trigger is made, through constants and imports of the app; undefined when that is only known at run time.
 * @param passed filled with the expressions on the way
 */
export function readTrigger(
  graph: Graph,
  tasks: TaskFiles,
  trigger: Place,
  passed: Place[],
): TriggerSource | undefined {
  const { path, node } = writtenOut(graph, tasks, trigger, passed)
  const call = node as Node
  if (call.type !== 'CallExpression') return undefined
  const kind = constructorOf(graph.files.get(path) as GraphFile, call)
  if (!kind || call.arguments.some((argument) => argument.type === 'SpreadElement')) return undefined
  const places = call.arguments.map((argument): Place => ({ path, node: argument }))
  const options = places[optionsAt[kind]]
  return {
    kind,
    path,
    call,
    args: places.slice(0, optionsAt[kind]),
    options: options ? readOptions(writtenOut(graph, tasks, options, passed)) : new Map(),
  }
}

/** Whether a function may evaluate the trigger: it looks at one session at a time and has no clock. */
export function isFusibleTrigger(graph: Graph, { kind, options }: TriggerSource): boolean {
  const scope = () => optionValue(graph, options, 'scope')
  switch (kind) {
    case 'immediate':
    case 'byName':
    case 'bySet':
    case 'redundant':
    case 'dynamicJoin':
      return true
    case 'dynamicGroup':
      return options !== undefined && [undefined, 'session'].includes(scope() as string | undefined)
    case 'byBatchSize':
      return scope() === 'session' && optionValue(graph, options, 'maxWaitMs') === undefined
    case 'custom':
      return scope() === 'session'
    case 'byTime':
      return false
  }
}

/** The constant that an expression comes to; `notConstant` when only a run tells. */
export function constantAt(graph: Graph, { path, node }: Place): { value: Constant } | 'notConstant' {
  const body = (graph.files.get(path) as GraphFile).module.source.body
  const evaluated = evaluate(node, constantScope(body))
  return 'value' in evaluated ? evaluated : 'notConstant'
}

function optionValue(graph: Graph, options: TriggerSource['options'], name: string): Constant | 'notConstant' {
  const place = options?.get(name)
  if (!place) return undefined
  const evaluated = constantAt(graph, place)
  return evaluated === 'notConstant' ? evaluated : evaluated.value
}

function constructorOf({ module }: GraphFile, { callee }: Call): TriggerKind | undefined {
  const member = callee.type === 'MemberExpression' ? callee : undefined
  const name = member ? member.object : callee
  const binding = name.type === 'Identifier' ? module.imports.get(name.name) : undefined
  if (binding?.specifier !== 'fusionize' || (binding.imported === '*') !== (member !== undefined)) return undefined
  const called = member ? memberName(member) : binding.imported
  return called !== undefined && Object.hasOwn(optionsAt, called) ? (called as TriggerKind) : undefined
}

function readOptions({ path, node }: Place): Map<string, Place> | undefined {
  const literal = node as Node
  if (literal.type !== 'ObjectExpression') return undefined
  const options = new Map<string, Place>()
  for (const property of literal.properties) {
    const name = property.type === 'Property' ? propertyName(property) : undefined
    if (property.type !== 'Property' || name === undefined) return undefined
    options.set(name, { path, node: property.value })
  }
  return options
}
