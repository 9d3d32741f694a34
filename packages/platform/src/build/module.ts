import type { Node } from 'oxc-parser'
import { findUses, type Place, type Reference, type Uses } from './references.js'
import type { AnyNode, Source } from './source.js'
import { boundNames } from './syntax.js'

/** One imported name. */
export interface ImportBinding {
  local: string
  /** Name in the other module; `*` = its namespace. */
  imported: string
  specifier: string
  start: number
}

/** What a module exports under one name. */
export type ModuleExport =
  | { kind: 'local'; local: string; start: number }
  /** The exported expression of `export default …`. */
  | { kind: 'expression'; expression: AnyNode; start: number }
  | { kind: 'from'; specifier: string; imported: string; start: number }

/** What a file asks to be loaded. */
export interface Request {
  start: number
  kind: 'import-statement' | 'dynamic-import' | 'require-call'
  /** False when only types are imported without saying so: some settings of TypeScript keep the import, most drop it. */
  live: boolean
  /** Its absence is provided for. */
  optional?: boolean
}

/** What one file takes from others and gives to them, as it is at run time (types are gone). */
export interface Module {
  source: Source
  /** By local name. */
  imports: Map<string, ImportBinding>
  exports: Map<string, ModuleExport>
  /** Specifiers of `export * from`. */
  stars: string[]
  /** Every specifier that may be loaded, in order of first appearance. */
  requests: Map<string, Request>
  /** Uses of the names that are declared or imported at the top level. */
  references: Reference[]
  dynamicImports: Uses['dynamicImports']
  places: Place[]
}

/** Reads a module's imports, exports and uses from its syntax tree. */
export function readModule(source: Source): Module {
  const module: Module = {
    source,
    imports: new Map(),
    exports: new Map(),
    stars: [],
    requests: new Map(),
    references: [],
    dynamicImports: [],
    places: [],
  }
  const topLevel = new Set<string>()
  for (const statement of source.body) {
    readStatement(module, statement as Node)
    for (const name of declaredNames(statement as Node)) topLevel.add(name)
  }
  const names = new Set([...topLevel, ...module.imports.keys()])
  const uses = findUses(source.body, names)
  module.references = uses.references
  module.dynamicImports = uses.dynamicImports
  module.places = uses.places
  if (source.typescript) dropTypeOnlyImports(module)
  addRequests(module)
  return module
}

function readStatement(module: Module, node: Node): void {
  if (node.type === 'ImportDeclaration') {
    if (node.importKind === 'type') return
    for (const s of node.specifiers) {
      if (s.type === 'ImportSpecifier' && s.importKind === 'type') continue
      const imported =
        s.type === 'ImportDefaultSpecifier'
          ? 'default'
          : s.type === 'ImportNamespaceSpecifier'
            ? '*'
            : nameOf(s.imported)
      const binding = { local: s.local.name, imported, specifier: node.source.value, start: s.start }
      module.imports.set(s.local.name, binding)
    }
  } else if (node.type === 'ExportAllDeclaration') {
    if (node.exportKind === 'type') return
    const { source, exported, start } = node
    if (exported) module.exports.set(nameOf(exported), { kind: 'from', specifier: source.value, imported: '*', start })
    else module.stars.push(source.value)
  } else if (node.type === 'ExportDefaultDeclaration') {
    const start = node.declaration.start
    const local = node.declaration.type === 'Identifier' ? node.declaration.name : undefined
    if (local !== undefined) module.exports.set('default', { kind: 'local', local, start })
    else module.exports.set('default', { kind: 'expression', expression: node.declaration, start })
  } else if (node.type === 'ExportNamedDeclaration') {
    if (node.exportKind === 'type') return
    for (const name of node.declaration ? declaredNames(node.declaration) : [])
      module.exports.set(name, { kind: 'local', local: name, start: node.start })
    for (const s of node.specifiers) {
      if (s.exportKind === 'type') continue
      const [local, start] = [nameOf(s.local), s.start]
      module.exports.set(
        nameOf(s.exported),
        node.source
          ? { kind: 'from', specifier: node.source.value, imported: local, start }
          : { kind: 'local', local, start },
      )
    }
  }
}

function addRequests(module: Module): void {
  const used = new Set([...module.imports.values()].map((binding) => binding.specifier))
  const add = (specifier: string, request: Request) => {
    const known = module.requests.get(specifier)
    if (!known || (request.live && !known.live)) module.requests.set(specifier, request)
  }
  for (const statement of module.source.body) {
    const node = statement as Node
    if (node.type === 'ImportDeclaration' && node.importKind !== 'type') {
      const live = node.specifiers.length === 0 || used.has(node.source.value)
      add(node.source.value, { start: node.source.start, kind: 'import-statement', live })
    } else if ((node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') && node.source)
      if (node.exportKind !== 'type')
        add(node.source.value, { start: node.source.start, kind: 'import-statement', live: true })
  }
  for (const { specifier, start, kind, guarded } of module.dynamicImports)
    add(specifier, { start, kind, live: true, optional: guarded })
}

/** TypeScript drops imports that are only used as types, and so does the bundler. */
function dropTypeOnlyImports(module: Module): void {
  const used = new Set(module.references.map((reference) => reference.name))
  for (const local of module.imports.keys()) if (!used.has(local)) module.imports.delete(local)
}

function declaredNames(node: Node): string[] {
  switch (node.type) {
    case 'VariableDeclaration':
      return node.declare ? [] : node.declarations.flatMap((d) => boundNames(d.id))
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'TSEnumDeclaration':
      return node.id && !node.declare ? [node.id.name] : []
    case 'ExportNamedDeclaration':
      return node.declaration ? declaredNames(node.declaration) : []
    case 'ExportDefaultDeclaration':
      return node.declaration.type === 'Identifier' ? [] : declaredNames(node.declaration as Node)
    default:
      return []
  }
}

function nameOf(node: { type: string; name?: string; value?: unknown }): string {
  return node.type === 'Literal' ? String(node.value) : (node.name as string)
}
