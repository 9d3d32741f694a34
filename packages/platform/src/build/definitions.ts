import type { Node } from 'oxc-parser'
import type { Module } from './module.js'
import type { Reference } from './references.js'
import type { AnyNode } from './source.js'
import { unwrap, wrapsValue } from './syntax.js'

export type Call = Extract<Node, { type: 'CallExpression' }>

/** Names of tasks and of buckets. */
export const nameShape = /^[a-z][a-z0-9-]*$/

/** A call that defines something, with what encloses it, nearest first. */
export interface DefiningCall {
  call: Call
  parents: readonly AnyNode[]
}

/** Calls of what `fusionize` exports under a name, in order. */
export function definingCalls(module: Module, name: 'task' | 'bucket'): DefiningCall[] {
  return module.references.flatMap((reference) => {
    const binding = module.imports.get(reference.name)
    if (binding?.specifier !== 'fusionize') return []
    const found = binding.imported === '*' ? memberCall(reference, name) : directCall(reference)
    return found && (binding.imported === name || binding.imported === '*') ? [found] : []
  })
}

function directCall({ parents, start }: Reference): DefiningCall | undefined {
  const call = parents[0] as Node | undefined
  return call?.type === 'CallExpression' && call.callee.start === start
    ? { call, parents: parents.slice(1) }
    : undefined
}

function memberCall({ parents }: Reference, property: string): DefiningCall | undefined {
  const [member, call] = parents as [Node | undefined, Node | undefined]
  return member?.type === 'MemberExpression' &&
    !member.computed &&
    member.property.type === 'Identifier' &&
    member.property.name === property &&
    call?.type === 'CallExpression' &&
    call.callee === member
    ? { call, parents: parents.slice(2) }
    : undefined
}

/** How the value of an expression leaves the module, and its name there. */
export function exportedAs(module: Module, value: AnyNode): { exportNames: string[]; local: string | undefined } {
  const local = declaredName(module, value)
  const exportNames: string[] = []
  for (const [name, exported] of module.exports)
    if (
      (exported.kind === 'local' && exported.local === local) ||
      (exported.kind === 'expression' && contains(exported.expression, value))
    )
      exportNames.push(name)
  return { exportNames: exportNames.sort(), local }
}

function declaredName(module: Module, value: AnyNode): string | undefined {
  for (const statement of module.source.body) {
    const node = statement as Node
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node
    if (declaration?.type !== 'VariableDeclaration') continue
    for (const { id, init } of declaration.declarations)
      if (init && id.type === 'Identifier' && contains(init, value)) return id.name
  }
  return undefined
}

/** Whether `expression` is `value`, but for type assertions around it. */
function contains(expression: AnyNode, value: AnyNode): boolean {
  return wrapsValue(expression) ? unwrap(expression) === value : expression === value
}
