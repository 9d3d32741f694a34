import { constantScope } from './constants.js'
import { exportedMeaning, type Meaning, meaningOf, type TaskFiles } from './exports.js'
import type { BucketDefinition, BucketFiles } from './find-buckets.js'
import type { Graph, GraphFile } from './graph.js'
import type { AnyNode } from './source.js'
import { memberName, unwrap } from './syntax.js'

/** An expression in a file of the app. */
export interface Place {
  /** Absolute. */
  path: string
  node: AnyNode
}

const maxSteps = 50

/** What an expression names: `x`, or `x.y` of a namespace. Undefined for all else. */
export function namedBy(graph: Graph, tasks: TaskFiles, { path, node }: Place): Meaning | undefined {
  const file = graph.files.get(path) as GraphFile
  const expression = unwrap(node)
  if (expression.type === 'Identifier') {
    const binding = file.module.imports.get(expression.name)
    if (binding) return meaningOf(graph, tasks, file, binding.specifier, binding.imported)
    const own = tasks.get(path)
    return own?.local === expression.name
      ? { kind: 'task', task: own.info.name, file: path }
      : { kind: 'value', file: path, local: expression.name }
  }
  const name = expression.type === 'MemberExpression' ? memberName(expression) : undefined
  if (expression.type !== 'MemberExpression' || name === undefined) return undefined
  const object = namedBy(graph, tasks, { path, node: expression.object })
  return object?.kind === 'namespace' ? exportedMeaning(graph, tasks, object.file, name, new Set()) : undefined
}

/**
 * Where an expression is written out that a name stands for: through imports and constants of the app, as far as they lead.
 * @param passed filled with the expressions on the way
 */
export function writtenOut(graph: Graph, tasks: TaskFiles, start: Place, passed: Place[] = []): Place {
  let place = { path: start.path, node: unwrap(start.node) as AnyNode }
  for (let step = 0; step < maxSteps; step++) {
    const meaning = namedBy(graph, tasks, place)
    const node =
      meaning?.kind === 'value' ? initialOf(graph.files.get(meaning.file) as GraphFile, meaning.local) : undefined
    if (meaning?.kind !== 'value' || node === undefined) return place
    place = { path: meaning.file, node: unwrap(node) }
    passed.push(place)
  }
  return place
}

/** The bucket that a name means. */
export function bucketMeant(buckets: BucketFiles, meaning: Meaning | undefined): BucketDefinition | undefined {
  return meaning?.kind === 'value'
    ? buckets.get(meaning.file)?.find((bucket) => bucket.local === meaning.local)
    : undefined
}

function initialOf({ module }: GraphFile, local: string): AnyNode | undefined {
  if (local !== 'default') return constantScope(module.source.body).get(local)
  const exported = module.exports.get('default')
  return exported?.kind === 'expression' ? exported.expression : undefined
}
