import { type Mode, modes, type TaskName } from 'fusionize/setup'
import type { Node } from 'oxc-parser'
import { exportedMeaning, type Meaning, meaningOf, namespaceTasks, type TaskFiles } from './exports.js'
import type { Graph, GraphFile } from './graph.js'
import type { ImportBinding } from './module.js'
import type { Reference } from './references.js'
import type { AnyNode } from './source.js'
import { wrapsValue } from './syntax.js'

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

/** What a file does with tasks and with the rest of what it imports from the app's own files. */
export interface FileUses {
  tasks: TaskUse[]
  imports: ImportUse[]
}

/** Reads from a file's syntax tree which tasks it uses and in which modes. */
export function fileUses(graph: Graph, taskFiles: TaskFiles, path: string): FileUses {
  const file = graph.files.get(path) as GraphFile
  const { module } = file
  const own = taskFiles.get(path)
  const tasks: TaskUse[] = []
  const imports: ImportUse[] = [...module.imports.values()].map((binding) => ({
    binding,
    name: binding.imported,
    meaning: meaningOf(graph, taskFiles, file, binding.specifier, binding.imported),
  }))
  const meanings = new Map(imports.map((use) => [use.binding.local, use]))

  for (const reference of module.references) {
    if (own && reference.name === own.local) add(own.info.name, reference, reference.parents)
    const use = meanings.get(reference.name)
    if (use?.meaning.kind === 'task') add(use.meaning.task, reference, reference.parents)
    if (use?.meaning.kind === 'namespace') addNamespace(use.meaning.file, use.binding, reference)
  }
  for (const { specifier, start } of module.dynamicImports) {
    const target = file.links.get(specifier)
    if (target !== undefined) addAll(target, start)
  }
  return { tasks, imports }

  function add(task: TaskName, { start, atLoad }: Reference, parents: readonly AnyNode[]): void {
    if ((parents[0] as Node).type === 'ExportSpecifier' || parents[0]?.type === 'ExportDefaultDeclaration') return
    const used = modesOfUse(parents, start)
    tasks.push({ task, start, atLoad, ...used })
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
    if (meaning.kind === 'task') add(meaning.task, reference, reference.parents.slice(1))
    if (meaning.kind === 'namespace') addAll(meaning.file, reference.start)
  }

  function addAll(target: string, start: number): void {
    for (const task of namespaceTasks(graph, taskFiles, target))
      tasks.push({ task, modes, start, atLoad: false, called: false })
  }
}

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

function memberName(member: Extract<Node, { type: 'MemberExpression' }>): string | undefined {
  const { property, computed } = member
  if (!computed && property.type === 'Identifier') return property.name
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined
}
