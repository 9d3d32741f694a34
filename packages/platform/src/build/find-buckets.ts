import type { Node } from 'oxc-parser'
import { type Call, type DefiningCall, definingCalls, exportedAs, nameShape } from './definitions.js'
import type { Module } from './module.js'
import type { BuildProblem } from './problems.js'
import { type Report, reportIn } from './report.js'
import { type AnyNode, locate } from './source.js'
import { literalText, memberName, unwrap, wrapsValue } from './syntax.js'

/** A bucket as the file that defines it writes it down. */
export interface BucketDefinition {
  name: string
  /** Relative to the app's folder. */
  file: string
  line: number
  /** Names under which the file exports it. */
  exportNames: string[]
  /** Its name inside the file; `default` when it is exported without one. */
  local: string
  /** Offset of `bucket(…)`. */
  start: number
  /** The calls of `.on(…)` that follow, in order. */
  triggers: Call[]
}

/** Files with their buckets, by absolute path. */
export type BucketFiles = ReadonlyMap<string, readonly BucketDefinition[]>

/** Finds the buckets that a module defines; everything wrong with their form is added to `problems`. */
export function findBuckets(module: Module, besideTask: string | undefined, problems: BuildProblem[]) {
  const { source } = module
  const report = reportIn(source, problems)
  return definingCalls(module, 'bucket').map((found): BucketDefinition => {
    const { call } = found
    const name = readName(call, report)
    const { triggers, whole } = chainOf(found)
    const { exportNames, local = 'default' } = exportedAs(module, whole)
    if (besideTask !== undefined)
      report(
        'bucket-beside-task',
        call,
        `bucket '${name}' is defined in the file of task '${besideTask}', which other functions do not contain`,
        'move it into a file without a task, such as buckets/',
      )
    else if (exportNames.length === 0)
      report(
        'bucket-not-exported',
        call,
        `bucket '${name}' is not exported`,
        `write 'export const … = bucket(…).on(…)' at the top level of the file`,
      )
    return {
      name,
      file: source.path,
      line: locate(source, call.start).line,
      exportNames,
      local,
      start: call.start,
      triggers,
    }
  })
}

/** The name as written; what is wrong with it is reported. */
function readName(call: Call, report: Report): string {
  const first = call.arguments[0]
  const name = literalText(first)
  if (name === undefined)
    report(
      'bucket-name',
      first ?? call,
      'the name of a bucket is not a string literal',
      "write it in the call, as in bucket('frames'): the build reads it without running the code",
    )
  else if (!nameShape.test(name))
    report(
      'bucket-name',
      first as AnyNode,
      `bucket name ${JSON.stringify(name)} is not valid`,
      'use lower-case letters, digits and dashes, a letter first',
    )
  return name ?? ''
}

/** The calls of `.on` on what `bucket(…)` gives, and the expression of them all. */
function chainOf({ call, parents }: DefiningCall): { triggers: Call[]; whole: AnyNode } {
  const enclosing = parents.filter((node) => !wrapsValue(node)) as Node[]
  const triggers: Call[] = []
  for (let i = 0; ; i += 2) {
    const [member, on] = [enclosing[i], enclosing[i + 1]]
    if (member?.type !== 'MemberExpression' || on?.type !== 'CallExpression' || memberName(member) !== 'on') break
    if (unwrap(member.object) !== (triggers.at(-1) ?? call) || on.callee !== member) break
    triggers.push(on)
  }
  return { triggers, whole: triggers.at(-1) ?? call }
}
