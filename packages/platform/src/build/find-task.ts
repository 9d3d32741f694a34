import type { TaskInfo } from 'fusionize/setup'
import { constantScope } from './constants.js'
import { type Call, definingCalls, exportedAs, nameShape } from './definitions.js'
import type { Module } from './module.js'
import type { BuildProblem } from './problems.js'
import { type Report, reportIn } from './report.js'
import { type AnyNode, locate } from './source.js'
import { literalText, unwrap } from './syntax.js'
import { type Options, readOptions } from './task-options.js'

/** The task that a file defines. */
export interface TaskFile {
  info: TaskInfo
  /** Names under which the file exports its task. */
  exportNames: string[]
  /** The task's name inside the file, if it has one. */
  local: string | undefined
  /** Offset of its definition. */
  start: number
  /** The value of its option `result`. */
  result: AnyNode | undefined
}

/** Finds the task that a module defines; everything wrong with it is added to `problems`. */
export function findTask(module: Module, inTaskDir: boolean, problems: BuildProblem[]): TaskFile | undefined {
  const { source } = module
  const report = reportIn(source, problems)
  const [call, second] = definingCalls(module, 'task').map((found) => found.call)
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
  const { facts, result } = readArguments(name, call, module, report)
  return {
    info: { name, file: source.path, line: locate(source, call.start).line, ...facts },
    ...binding,
    start: call.start,
    result,
  }
}

function readName(call: Call, report: Report): string | undefined {
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

function readArguments(name: string, call: Call, module: Module, report: Report): Options {
  const [, second, third] = call.arguments
  if (!second || (!third && unwrap(second).type === 'ObjectExpression')) {
    report('task-arguments', call, `task '${name}' has no code`, 'give an async function as the last argument')
    return { facts: {} }
  }
  return third ? readOptions(name, second, constantScope(module.source.body), report) : { facts: {} }
}
