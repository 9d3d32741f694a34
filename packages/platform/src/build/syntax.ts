import { type Node, visitorKeys } from 'oxc-parser'
import type { AnyNode } from './source.js'

const valueWrappers = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSTypeAssertion',
  'TSNonNullExpression',
  'TSInstantiationExpression',
  'ParenthesizedExpression',
])
const typescriptValues = new Set([
  ...valueWrappers,
  'TSEnumDeclaration',
  'TSEnumBody',
  'TSEnumMember',
  'TSModuleDeclaration',
  'TSModuleBlock',
  'TSExportAssignment',
  'TSParameterProperty',
])

/** Whether a node wraps a value without changing it at run time: `x as T`, `x!`. */
export function wrapsValue(node: AnyNode): boolean {
  return valueWrappers.has(node.type) || node.type === 'ChainExpression'
}

/** The expression inside type assertions. */
export function unwrap(node: AnyNode): Node {
  let inner = node
  while (wrapsValue(inner)) inner = (inner as unknown as { expression: AnyNode }).expression
  return inner as Node
}

/** The child nodes that exist at run time: types are left out. */
export function children(node: AnyNode): AnyNode[] {
  if (node.type.startsWith('TS') && !typescriptValues.has(node.type)) return []
  if ((node as { declare?: boolean }).declare === true) return []
  const found: AnyNode[] = []
  for (const key of visitorKeys[node.type] ?? []) {
    const value = (node as unknown as Record<string, AnyNode | (AnyNode | null)[] | null | undefined>)[key]
    if (Array.isArray(value)) {
      for (const item of value) if (item) found.push(item)
    } else if (value) found.push(value)
  }
  return found
}

export function isFunction(node: AnyNode): boolean {
  return (
    node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
  )
}

/** Names that a binding pattern declares. */
export function boundNames(pattern: AnyNode): string[] {
  const node = pattern as Node
  switch (node.type) {
    case 'Identifier':
      return [node.name]
    case 'ObjectPattern':
      return node.properties.flatMap((p) => boundNames(p.type === 'RestElement' ? p.argument : p.value))
    case 'ArrayPattern':
      return node.elements.flatMap((element) => (element ? boundNames(element) : []))
    case 'AssignmentPattern':
      return boundNames(node.left)
    case 'RestElement':
      return boundNames(node.argument)
    case 'TSParameterProperty':
      return boundNames(node.parameter)
    default:
      return []
  }
}

/** Text of a string literal or a template without parts; undefined for anything else. */
export function literalText(node: AnyNode | null | undefined): string | undefined {
  if (!node) return undefined
  const inner = unwrap(node)
  if (inner.type === 'Literal' && typeof inner.value === 'string') return inner.value
  if (inner.type === 'TemplateLiteral' && inner.expressions.length === 0)
    return inner.quasis[0]?.value.cooked ?? undefined
  return undefined
}

/** Name of the property that a member expression asks for, unless it is computed at run time. */
export function memberName(member: Extract<Node, { type: 'MemberExpression' }>): string | undefined {
  const { property, computed } = member
  if (!computed && property.type === 'Identifier') return property.name
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined
}
