import type { FunctionModule } from 'fusionize/runtime'
import type { Material } from './material.js'
import { compare } from './problems.js'

/** What the artifact of one function is made of. */
export interface FunctionRequest {
  function: string
  /** Sorted. */
  tasks: readonly string[]
  inline: FunctionModule['inline']
  /** Absolute path, or name of an installed module, that exports `start`. */
  adapter: string
  /** Buckets that the function evaluates itself; absent when there are none. */
  buckets?: readonly string[]
  /** How it takes part in maps; absent when it does not. */
  maps?: MapRequest
  /** Module whose export `evaluate` takes all buckets of the app; absent where the platform needs none, or the app has none. */
  evaluator?: string
}

/** What a function needs for maps. */
export interface MapRequest {
  /** Remote maps: items per invocation, by task; absent when it is 1 for all. */
  bundle?: Readonly<Record<string, number>>
  parallel?: FunctionModule['parallel']
  /** Tasks whose items may run in a pool; absent when there are none. */
  poolable?: readonly string[]
  /** What besides items runs there; absent = nothing. */
  spread?: { whole?: true; branches?: readonly string[] }
}

/** The module that a function's artifact starts with: hands the function's tasks to the platform's adapter, and exports what that returns as `handler`. */
export function functionEntry(
  scan: Material,
  { function: name, tasks, inline, adapter, buckets, maps, evaluator }: FunctionRequest,
): string {
  const files = [...scan.tasks]
    .filter(([, file]) => tasks.includes(file.info.name))
    .sort((a, b) => compare(a[1].info.name, b[1].info.name))
  const all = evaluator === undefined ? undefined : allBuckets(scan)
  const leaves = tasks.filter((task) => !scan.busy.has(task)).sort(compare)
  const fields = [
    `app: ${quote(scan.app.name)}, function: ${quote(name)}, tasks: [${files.map((_, i) => `t${i}`).join(', ')}]`,
    `inline: ${JSON.stringify(inline)}, leaves: ${JSON.stringify(leaves)}`,
    ...(buckets ? [`buckets: ${JSON.stringify(buckets)}`] : []),
    ...(maps ? mapFields(maps) : []),
    ...(all ? [`evaluator: evaluate([${all.names}])`] : []),
  ]
  return [
    `import { start } from ${quote(adapter)}`,
    ...(maps ? [`import { maps } from 'fusionize/runtime/map'`] : []),
    ...(maps?.poolable ? [`import { pool${maps.spread ? ', spread' : ''} } from 'fusionize/runtime/pool'`] : []),
    ...files.map(([path, file], i) => `import { ${exportName(file)} as t${i} } from ${quote(path)}`),
    ...(all ? [`import { evaluate } from ${quote(evaluator as string)}`, ...all.imports] : []),
    `const module = { ${fields.join(', ')} }`,
    // what `start` returns is for platforms that call an export of the module
    maps?.poolable
      ? 'export const handler = pool.serve(module) || start({ ...module, pool: pool.at(import.meta.url, module) })'
      : 'export const handler = start(module)',
  ].join('\n')
}

function mapFields({ spread, ...rest }: MapRequest): string[] {
  return [
    spread ? `maps: spread(maps, ${JSON.stringify(spread)})` : 'maps',
    ...Object.entries(rest).map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
  ]
}

/** The module that a platform learns the app's buckets from: exports `buckets`, a list of them in order of name. */
export function bucketsEntry(scan: Material): string {
  const { imports, names } = allBuckets(scan)
  return [...imports, `export const buckets = [${names}]`].join('\n')
}

/** All buckets of the app in order of name, as a module has them. */
function allBuckets(scan: Material): { imports: string[]; names: string } {
  const all = [...scan.buckets].flatMap(([path, defined]) => defined.map((bucket) => ({ path, bucket })))
  const ordered = all.sort((a, b) => compare(a.bucket.name, b.bucket.name))
  return {
    imports: ordered.map(({ path, bucket }, i) => `import { ${exportName(bucket)} as b${i} } from ${quote(path)}`),
    names: ordered.map((_, i) => `b${i}`).join(', '),
  }
}

/** Files of tasks that are not in the artifact, with what takes their place. */
export function stubbedFiles(files: Material['tasks'], tasks: readonly string[]): Map<string, string> {
  const inside = new Set(tasks)
  const outside = [...files].filter(([, file]) => !inside.has(file.info.name))
  return new Map(outside.map(([path, file]) => [path, stubSource(file)]))
}

type MaterialTask = Material['tasks'] extends ReadonlyMap<string, infer T> ? T : never

/** What stands in for the file of a task that is not in the artifact: only the task's name. */
function stubSource({ info, exportNames }: MaterialTask): string {
  return [
    `import { remoteTask } from 'fusionize/runtime'`,
    `const t = /* @__PURE__ */ remoteTask(${quote(info.name)})`,
    `export { ${[...exportNames]
      .sort(compare)
      .map((name) => `t as ${name}`)
      .join(', ')} }`,
  ].join('\n')
}

function exportName({ exportNames }: { exportNames: readonly string[] }): string {
  return exportNames.includes('default') ? 'default' : (exportNames[0] as string)
}

function quote(text: string): string {
  return JSON.stringify(text)
}
