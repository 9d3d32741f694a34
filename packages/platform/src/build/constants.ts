import type { Node } from 'oxc-parser'
import type { AnyNode } from './source.js'
import { unwrap } from './syntax.js'

export type Constant = null | undefined | boolean | number | string | Constant[] | { [key: string]: Constant }

/** The value of an expression, or the node inside it that is not constant. */
export type Evaluated = { value: Constant } | { notConstant: AnyNode }

/** Names of the file's own `const` declarations with their initial values. */
export type Scope = ReadonlyMap<string, AnyNode>

/** Evaluates an expression of literals, arithmetic and the file's own constants without running it. */
export function evaluate(expression: AnyNode, scope: Scope): Evaluated {
  try {
    return { value: constantOf(expression, scope, 0) }
  } catch (error) {
    if (error instanceof NotConstant) return { notConstant: error.node }
    throw error
  }
}

/** The constants that a file declares at its top level. */
export function constantScope(body: readonly AnyNode[]): Scope {
  const scope = new Map<string, AnyNode>()
  for (const statement of body) {
    const node = statement as Node
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node
    if (declaration?.type === 'VariableDeclaration' && declaration.kind === 'const')
      for (const { id, init } of declaration.declarations)
        if (id.type === 'Identifier' && init) scope.set(id.name, init)
  }
  return scope
}

class NotConstant extends Error {
  constructor(readonly node: AnyNode) {
    super()
  }
}

const maxDepth = 50

function constantOf(expression: AnyNode, scope: Scope, depth: number): Constant {
  const node = unwrap(expression)
  const inner = (child: AnyNode) => constantOf(child, scope, depth + 1)
  if (depth > maxDepth) throw new NotConstant(node)
  switch (node.type) {
    case 'Literal':
      if (node.value === null || ['string', 'number', 'boolean'].includes(typeof node.value))
        return node.value as Constant
      break
    case 'TemplateLiteral':
      return node.quasis
        .map((q, i) => q.value.cooked + (node.expressions[i] ? String(inner(node.expressions[i])) : ''))
        .join('')
    case 'Identifier': {
      if (node.name === 'undefined') return undefined
      const init = scope.get(node.name)
      if (init) return inner(init)
      break
    }
    case 'UnaryExpression': {
      const value = inner(node.argument)
      if (node.operator === '-') return -Number(value)
      if (node.operator === '+') return Number(value)
      if (node.operator === '!') return !value
      break
    }
    case 'BinaryExpression': {
      if (node.left.type === 'PrivateIdentifier') break
      const result = arithmetic(node.operator, inner(node.left), inner(node.right))
      if (result !== undefined) return result
      break
    }
    case 'ArrayExpression':
      return node.elements.map((element) => {
        if (!element || element.type === 'SpreadElement') throw new NotConstant(element ?? node)
        return inner(element)
      })
    case 'ObjectExpression':
      return Object.fromEntries(
        node.properties.map((property) => {
          if (property.type === 'SpreadElement' || property.kind !== 'init') throw new NotConstant(property)
          return [propertyName(property) ?? notConstant(property), inner(property.value)]
        }),
      )
  }
  throw new NotConstant(node)
}

/** Name of an object literal's property, unless it is computed at run time. */
export function propertyName(property: { computed: boolean; key: Node }): string | undefined {
  const { key, computed } = property
  if (key.type === 'Literal') return String(key.value)
  return key.type === 'Identifier' && !computed ? key.name : undefined
}

function notConstant(node: AnyNode): never {
  throw new NotConstant(node)
}

function arithmetic(operator: string, a: Constant, b: Constant): Constant {
  if (operator === '+' && typeof a === 'string' && typeof b === 'string') return a + b
  if (typeof a !== 'number' || typeof b !== 'number') return undefined
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '%':
      return a % b
    case '**':
      return a ** b
    default:
      return undefined
  }
}
