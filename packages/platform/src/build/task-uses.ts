import { type BucketName, type Mode, modes, type TaskName } from 'fusionize/setup'
import type { Node } from 'oxc-parser'
import { propertyName } from './constants.js'
import { exportedMeaning, type Meaning, meaningOf, namespaceMeanings, type TaskFiles } from './exports.js'
import type { BucketFiles } from './find-buckets.js'
import type { Graph, GraphFile } from './graph.js'
import type { ImportBinding } from './module.js'
import { bucketMeant, namedBy } from './names.js'
import type { Reference } from './references.js'
import type { AnyNode } from './source.js'
import { memberName, wrapsValue } from './syntax.js'

/** A place in a file where a task is used. */
export interface TaskUse {
  task: TaskName
  modes: readonly Mode[]
  start: number
  /** It happens while the module loads. */
  atLoad: boolean
  /** It is a call, send or map right there, not a mention. */
  called: boolean
}

/** An imported name that a file uses and what it turned out to be. */
export interface ImportUse {
  binding: ImportBinding
  name: string
  meaning: Meaning
}

/** A place in a file where a bucket is used. */
export interface BucketUse {
  bucket: BucketName
  /** `value`: it goes where the scan cannot follow. */
  does: 'put' | 'expect' | 'source' | 'get' | 'on' | 'bucketName' | 'result' | 'value'
  start: number
  atLoad: boolean
}

/** What a file does with tasks, buckets and with the rest of what it imports from the app's own files. */
export interface FileUses {
  tasks: TaskUse[]
  buckets: BucketUse[]
  imports: ImportUse[]
}

/**
 * Reads from a file's syntax tree which tasks it uses and in which modes, and what it does with buckets.
 * @param definitions expressions of the file that say what a trigger is and whom it starts: tasks are named there, not used
 */
export function fileUses(
  graph: Graph,
  taskFiles: TaskFiles,
  bucketFiles: BucketFiles,
  definitions: readonly AnyNode[],
  path: string,
): FileUses {
  const file = graph.files.get(path) as GraphFile
  const { module } = file
  const own = taskFiles.get(path)
  const ownBuckets = new Map(bucketFiles.get(path)?.map((bucket) => [bucket.local, bucket.name]))
  const tasks: TaskUse[] = []
  const buckets: BucketUse[] = []
  const imports: ImportUse[] = [...module.imports.values()].map((binding) => ({
    binding,
    name: binding.imported,
    meaning: meaningOf(graph, taskFiles, file, binding.specifier, binding.imported),
  }))
  const meanings = new Map(imports.map((use) => [use.binding.local, use]))

  for (const reference of module.references) {
    if (own && reference.name === own.local) add(own.info.name, reference, reference.parents)
    const use = meanings.get(reference.name)
    const bucket = ownBuckets.get(reference.name) ?? bucketMeant(bucketFiles, use?.meaning)?.name
    if (bucket !== undefined) addBucket(bucket, reference, reference.parents)
    if (use?.meaning.kind === 'task') add(use.meaning.task, reference, reference.parents)
    if (use?.meaning.kind === 'namespace') addNamespace(use.meaning.file, use.binding, reference)
  }
  for (const { specifier, start } of module.dynamicImports) {
    const target = file.links.get(specifier)
    if (target !== undefined) addAll(target, start)
  }
  return { tasks, buckets, imports }

  function add(task: TaskName, { start, atLoad }: Reference, parents: readonly AnyNode[]): void {
    if (isExport(parents)) return
    const isNamed = definitions.some((node) => node.start <= start && start < node.end) || isPromised(parents)
    const used = isNamed ? { modes: [], called: false } : modesOfUse(parents, start)
    tasks.push({ task, start, atLoad, ...used })
  }

  function addBucket(bucket: BucketName, { start, atLoad }: Reference, parents: readonly AnyNode[]): void {
    if (isExport(parents)) return
    const does = own?.result?.start === start ? 'result' : bucketUse(parents, start)
    buckets.push({ bucket, does, start, atLoad })
  }

  /** Whether a task stands in `expect({ key, from: task, … })`: that says who will put, and runs nothing. */
  function isPromised(enclosing: readonly AnyNode[]): boolean {
    const [property, promise, call] = enclosing.filter((node) => !wrapsValue(node)) as Node[]
    if (property?.type !== 'Property' || propertyName(property) !== 'from') return false
    if (promise?.type !== 'ObjectExpression' || call?.type !== 'CallExpression') return false
    const { callee } = call
    if (callee.type !== 'MemberExpression' || memberName(callee) !== 'expect') return false
    const meaning = namedBy(graph, taskFiles, { path, node: callee.object })
    return bucketMeant(bucketFiles, meaning) !== undefined
  }

  function addNamespace(target: string, binding: ImportBinding, reference: Reference): void {
    const member = reference.parents[0] as Node
    const name = member.type === 'MemberExpression' ? memberName(member) : undefined
    if (name === undefined) {
      if (member.type !== 'ExportSpecifier') addAll(target, reference.start)
      return
    }
    const meaning = exportedMeaning(graph, taskFiles, target, name, new Set())
    imports.push({ binding: { ...binding, start: reference.start }, name, meaning })
    const bucket = bucketMeant(bucketFiles, meaning)?.name
    if (bucket !== undefined) addBucket(bucket, reference, reference.parents.slice(1))
    if (meaning.kind === 'task') add(meaning.task, reference, reference.parents.slice(1))
    if (meaning.kind === 'namespace') addAll(meaning.file, reference.start)
  }

  function addAll(target: string, start: number): void {
    for (const meaning of namespaceMeanings(graph, taskFiles, target)) {
      const bucket = bucketMeant(bucketFiles, meaning)?.name
      if (bucket !== undefined) buckets.push({ bucket, does: 'value', start, atLoad: false })
      if (meaning.kind === 'task') tasks.push({ task: meaning.task, modes, start, atLoad: false, called: false })
    }
  }
}

/** Whether a name is only exported. */
function isExport([parent]: readonly AnyNode[]): boolean {
  return parent?.type === 'ExportSpecifier' || parent?.type === 'ExportDefaultDeclaration'
}

/** What is done with a bucket: `x.put(…)` is a put, `x` alone may be anything. */
function bucketUse(enclosing: readonly AnyNode[], start: number): BucketUse['does'] {
  const parent = enclosing.find((node) => !wrapsValue(node)) as Node | undefined
  const name = parent?.type === 'MemberExpression' && parent.object.start === start ? memberName(parent) : undefined
  return bucketMembers.find((known) => known === name) ?? 'value'
}

const bucketMembers = ['put', 'expect', 'source', 'get', 'on', 'bucketName'] as const

/** `x(…)`, `x.send(…)`, `x.map(…)` are one mode; a value that goes elsewhere may be used in any. */
function modesOfUse(enclosing: readonly AnyNode[], start: number): { modes: readonly Mode[]; called: boolean } {
  const parents = enclosing.filter((node) => !wrapsValue(node)) as Node[]
  const [parent, next] = parents
  if (parent?.type === 'CallExpression' && parent.callee.start === start) return { modes: ['call'], called: true }
  if (parent?.type === 'MemberExpression' && parent.object.start === start) {
    const called = next?.type === 'CallExpression' && next.callee.start === start
    const name = memberName(parent)
    if (name === 'send' || name === 'map') return { modes: [name], called }
    if (name === 'taskName') return { modes: [], called: false }
  }
  return { modes, called: false }
}
