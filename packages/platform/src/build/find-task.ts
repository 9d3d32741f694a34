import type { TaskInfo } from 'fusionize/setup'
import type { Node } from 'oxc-parser'
import { constantScope } from './constants.js'
import type { Module } from './module.js'
import type { BuildProblem } from './problems.js'
import type { Reference } from './references.js'
import { type AnyNode, locate } from './source.js'
import { literalText, unwrap, wrapsValue } from './syntax.js'
import { type Report, readOptions } from './task-options.js'

/** The task that a file defines. */
export interface TaskFile {
  info: TaskInfo
  /** Names under which the file exports its task. */
  exportNames: string[]
  /** The task's name inside the file, if it has one. */
  local: string | undefined
  /** Offset of its definition. */
  start: number
}

const nameShape = /^[a-z][a-z0-9-]*$/

type TaskCall = Extract<Node, { type: 'CallExpression' }>

/** Finds the task that a module defines; everything wrong with it is added to `problems`. */
export function findTask(module: Module, inTaskDir: boolean, problems: BuildProblem[]): TaskFile | undefined {
  const { source } = module
  const report: Report = (kind, at, message, remedy) =>
    problems.push({ kind, ...locate(source, at.start), message, remedy })
  const calls = taskCalls(module)
  const [call, second] = calls
  if (!call) return undefined
  if (!inTaskDir) {
    report(
      'task-outside',
      call,
      'a task is defined outside the folders of tasks',
      "move the file into one of them, or add its folder to 'tasks' in the configuration",
    )
    return undefined
  }
  if (second)
    report(
      'several-tasks',
      second,
      'this file defines more than one task',
      'give each task a file of its own: a file is what can be moved to another function',
    )
  const name = readName(call, report)
  if (name === undefined) return undefined
  const binding = exportedAs(module, call)
  if (binding.exportNames.length === 0)
    report(
      'task-not-exported',
      call,
      `task '${name}' is not exported`,
      `write 'export default task(…)' at the top level of the file`,
    )
  const facts = readArguments(name, call, module, report)
  return {
    info: { name, file: source.path, line: locate(source, call.start).line, ...facts },
    ...binding,
    start: call.start,
  }
}

/** Calls of `task` imported from `fusionize`, in order. */
function taskCalls(module: Module): TaskCall[] {
  return module.references.flatMap((reference) => {
    const binding = module.imports.get(reference.name)
    if (binding?.specifier !== 'fusionize') return []
    const call = binding.imported === '*' ? memberCall(reference, 'task') : directCall(reference)
    return call && (binding.imported === 'task' || binding.imported === '*') ? [call] : []
  })
}

function directCall({ parents, start }: Reference): TaskCall | undefined {
  const parent = parents[0] as Node | undefined
  return parent?.type === 'CallExpression' && parent.callee.start === start ? parent : undefined
}

function memberCall({ parents }: Reference, property: string): TaskCall | undefined {
  const [member, call] = parents as [Node | undefined, Node | undefined]
  return member?.type === 'MemberExpression' &&
    !member.computed &&
    member.property.type === 'Identifier' &&
    member.property.name === property &&
    call?.type === 'CallExpression' &&
    call.callee === member
    ? call
    : undefined
}

function readName(call: TaskCall, report: Report): string | undefined {
  const first = call.arguments[0]
  const name = literalText(first)
  if (name === undefined)
    report(
      'task-name',
      first ?? call,
      'the name of a task is not a string literal',
      "write it in the call, as in task('check-sound', …): the build reads it without running the code",
    )
  else if (!nameShape.test(name))
    report(
      'task-name',
      first as AnyNode,
      `task name ${JSON.stringify(name)} is not valid`,
      'use lower-case letters, digits and dashes, a letter first',
    )
  else return name
  return undefined
}

function readArguments(name: string, call: TaskCall, module: Module, report: Report) {
  const [, second, third] = call.arguments
  if (!second || (!third && unwrap(second).type === 'ObjectExpression')) {
    report('task-arguments', call, `task '${name}' has no code`, 'give an async function as the last argument')
    return {}
  }
  return third ? readOptions(name, second, constantScope(module.source.body), report) : {}
}

/** How the value of `call` leaves the module. */
function exportedAs(module: Module, call: AnyNode): { exportNames: string[]; local: string | undefined } {
  const local = declaredName(module, call)
  const exportNames: string[] = []
  for (const [name, exported] of module.exports)
    if (
      (exported.kind === 'local' && exported.local === local) ||
      (exported.kind === 'expression' && contains(exported.expression, call))
    )
      exportNames.push(name)
  return { exportNames: exportNames.sort(), local }
}

function declaredName(module: Module, call: AnyNode): string | undefined {
  for (const statement of module.source.body) {
    const node = statement as Node
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node
    if (declaration?.type !== 'VariableDeclaration') continue
    for (const { id, init } of declaration.declarations)
      if (init && id.type === 'Identifier' && contains(init, call)) return id.name
  }
  return undefined
}

/** Whether `expression` is `call`, but for type assertions around it. */
function contains(expression: AnyNode, call: AnyNode): boolean {
  return wrapsValue(expression) ? unwrap(expression) === call : expression === call
}
