import type { Node } from 'oxc-parser'
import type { AnyNode } from './source.js'
import { boundNames, children, isFunction, literalText } from './syntax.js'

/** A use of a module-level name at run time. */
export interface Reference {
  name: string
  start: number
  /** Enclosing nodes, nearest first. */
  parents: AnyNode[]
  /** It runs while the module loads: no function call lies in between. */
  atLoad: boolean
}

/** A mention of `import.meta.url`, `.filename` or `.dirname`. */
export interface Place {
  start: number
  end: number
  property: 'url' | 'filename' | 'dirname'
}

/** What a walk over a module finds. */
export interface Uses {
  references: Reference[]
  /** `import('…')` and `require('…')` with a literal argument; `guarded`: inside `try`, so that the package may be absent. */
  dynamicImports: { specifier: string; start: number; kind: 'dynamic-import' | 'require-call'; guarded: boolean }[]
  places: Place[]
}

/** Finds the uses of module-level names; names of inner scopes that hide one of them are told apart. */
export function findUses(body: readonly AnyNode[], names: ReadonlySet<string>): Uses {
  const uses: Uses = { references: [], dynamicImports: [], places: [] }
  const parents: Node[] = []

  function visit(node: AnyNode, hidden: ReadonlySet<string>, atLoad: boolean): void {
    const n = node as Node
    if (n.type === 'Identifier') {
      if (names.has(n.name) && !hidden.has(n.name) && isUse(node, parents))
        uses.references.push({ name: n.name, start: n.start, parents: [...parents].reverse(), atLoad })
      return
    }
    if (n.type === 'ImportDeclaration' || n.type === 'ExportAllDeclaration') return
    if (n.type === 'ExportNamedDeclaration' && n.source) return
    noteDynamicImport(n)
    notePlace(n)
    const inner = scopeOf(node, hidden)
    const runsNow = atLoad && !(isFunction(node) && !calledAtOnce(node, parents))
    parents.push(n)
    for (const child of children(node)) {
      const instanceField = n.type === 'PropertyDefinition' && !n.static && child === (n.value as AnyNode | null)
      visit(child, inner, runsNow && !instanceField)
    }
    parents.pop()
  }

  function noteDynamicImport(n: Node): void {
    const isRequire = n.type === 'CallExpression' && n.callee.type === 'Identifier' && n.callee.name === 'require'
    if (n.type !== 'ImportExpression' && !isRequire) return
    const specifier = literalText(n.type === 'ImportExpression' ? n.source : n.arguments[0])
    if (specifier === undefined) return
    const guarded = parents.some((parent, i) => parent.type === 'TryStatement' && parent.block === parents[i + 1])
    uses.dynamicImports.push({
      specifier,
      start: n.start,
      kind: isRequire ? 'require-call' : 'dynamic-import',
      guarded,
    })
  }

  function notePlace(n: Node): void {
    if (n.type !== 'MemberExpression' || n.object.type !== 'MetaProperty' || n.object.meta.name !== 'import') return
    const property = n.property.type === 'Identifier' && !n.computed ? n.property.name : ''
    if (property === 'url' || property === 'filename' || property === 'dirname')
      uses.places.push({ start: n.start, end: n.end, property })
  }

  /** `hidden` plus the names of interest that this node's own scope declares. */
  function scopeOf(node: AnyNode, hidden: ReadonlySet<string>): ReadonlySet<string> {
    const declared = scopeNames(node as Node).filter((name) => names.has(name))
    return declared.length === 0 ? hidden : new Set([...hidden, ...declared])
  }

  for (const statement of body) visit(statement, new Set(), true)
  return uses
}

function scopeNames(node: Node): string[] {
  switch (node.type) {
    case 'FunctionDeclaration':
      return [...node.params.flatMap(boundNames), ...(node.body ? varNames(node.body) : [])]
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return [
        ...('id' in node && node.id ? [node.id.name] : []),
        ...node.params.flatMap(boundNames),
        ...(node.body ? varNames(node.body) : []),
      ]
    case 'ClassExpression':
      return node.id ? [node.id.name] : []
    case 'BlockStatement':
    case 'StaticBlock':
    case 'TSModuleBlock':
      return node.body.flatMap(lexicalNames)
    case 'SwitchStatement':
      return node.cases.flatMap((c) => c.consequent.flatMap(lexicalNames))
    case 'ForStatement':
      return node.init ? lexicalNames(node.init) : []
    case 'ForInStatement':
    case 'ForOfStatement':
      return lexicalNames(node.left)
    case 'CatchClause':
      return node.param ? boundNames(node.param) : []
    default:
      return []
  }
}

function lexicalNames(statement: AnyNode): string[] {
  const node = statement as Node
  if (node.type === 'VariableDeclaration') return node.declarations.flatMap((d) => boundNames(d.id))
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') return node.id ? [node.id.name] : []
  return []
}

/** `var` names that belong to a function's body, wherever in it they stand. */
function varNames(node: AnyNode): string[] {
  const declaration = node as Node
  const own = declaration.type === 'VariableDeclaration' && declaration.kind === 'var' ? lexicalNames(node) : []
  return [...own, ...children(node).flatMap((child) => (isFunction(child) ? [] : varNames(child)))]
}

function calledAtOnce(fn: AnyNode, parents: readonly AnyNode[]): boolean {
  const parent = parents.at(-1) as Node | undefined
  return parent?.type === 'CallExpression' && (parent.callee as AnyNode) === fn
}

/** False for identifiers that are names only: property names, declarations, labels. */
function isUse(identifier: AnyNode, parents: readonly AnyNode[]): boolean {
  const parent = parents.at(-1) as Node | undefined
  const is = (node: unknown) => node === identifier
  switch (parent?.type) {
    case 'MemberExpression':
      return parent.computed || is(parent.object)
    case 'Property':
      // in `{ x }` key and value are two nodes at one place: the value counts, unless it is a pattern's
      if (isPattern(parents.at(-2))) return parent.computed && is(parent.key)
      return is(parent.value) || parent.computed
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'AccessorProperty':
      return is(parent.value) || parent.computed
    case 'TSEnumMember':
      return is(parent.initializer)
    case 'VariableDeclarator':
      return is(parent.init)
    case 'AssignmentPattern':
      return is(parent.right)
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      return false
    case 'ArrowFunctionExpression':
      return is(parent.body)
    case 'ClassDeclaration':
    case 'ClassExpression':
      return is(parent.superClass)
    case 'ExportSpecifier':
      return is(parent.local)
    case 'ArrayPattern':
    case 'RestElement':
    case 'CatchClause':
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'MetaProperty':
    case 'TSParameterProperty':
    case 'TSModuleDeclaration':
    case 'TSEnumDeclaration':
      return false
    default:
      return true
  }
}

function isPattern(node: AnyNode | undefined): boolean {
  return node?.type === 'ObjectPattern'
}
