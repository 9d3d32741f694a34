import type { App, BucketInfo, Mode, StaticEdge, TaskInfo } from '../src/setup/index.js'
import { modes } from '../src/setup/index.js'

/** A bucket in a few words: who puts there, and what its triggers start. */
export interface BucketSketch {
  from: string[]
  to: string[]
  /** @default true */
  fusible?: boolean
}

/**
 * An app from a few words: `appOf({ ingest: 'POST /', check: {} }, ['ingest call check', 'check send+map store'])`. Tasks that
 * only edges or buckets name are added.
 */
export function appOf(
  tasks: Record<string, string | Partial<TaskInfo>>,
  edges: readonly string[] = [],
  buckets: Record<string, BucketSketch> = {},
): App {
  const calls = edges.map((edge): StaticEdge => {
    const [from = '', how = '', to = ''] = edge.split(' ')
    return { from, to, modes: how.split('+') as Mode[] }
  })
  const sketched = Object.values(buckets).flatMap(({ from, to }) => [...from, ...to])
  const infos = new Map<string, TaskInfo>()
  for (const name of [...Object.keys(tasks), ...calls.flatMap(({ from, to }) => [from, to]), ...sketched].sort()) {
    const given = Object.hasOwn(tasks, name) ? tasks[name] : undefined
    const [method = '', path = ''] = typeof given === 'string' ? given.split(' ') : []
    const options = typeof given === 'string' ? { http: { method, path } } : given
    infos.set(name, { name, file: `tasks/${name}.ts`, line: 1, ...options })
  }
  return withBuckets({ name: 'sketch', tasks: Object.fromEntries(infos), edges: calls }, buckets)
}

/** The app with these buckets and the edges through them; the app itself when there are none. */
export function withBuckets(app: App, buckets: Record<string, BucketSketch>): App {
  const names = Object.keys(buckets).sort()
  if (names.length === 0) return app
  const edges = new Map(app.edges.map((edge) => [`${edge.from} ${edge.to}`, { ...edge }]))
  for (const name of names)
    for (const from of buckets[name]?.from ?? [])
      for (const to of buckets[name]?.to ?? []) addPut(edges, from, to, name)
  const infos = names.map((name) => [name, infoOf(name, buckets[name] as BucketSketch)] as const)
  return { ...app, edges: [...edges.values()], buckets: Object.fromEntries(infos) }
}

function addPut(edges: Map<string, StaticEdge>, from: string, to: string, bucket: string): void {
  const key = `${from} ${to}`
  const edge = edges.get(key) ?? { from, to, modes: ['send'], buckets: [] }
  if (!edge.buckets && edge.modes.includes('send')) edge.sends = true
  edge.modes = modes.filter((mode) => mode === 'send' || edge.modes.includes(mode))
  edge.buckets = [...new Set([...(edge.buckets ?? []), bucket])]
  edges.set(key, edge)
}

function infoOf(name: string, { from, to, fusible = true }: BucketSketch): BucketInfo {
  const triggers = to.map((task) => ({ trigger: fusible ? 'immediate()' : 'byTime(1)', task }))
  return { name, file: `buckets/${name}.ts`, line: 1, triggers, producers: [...new Set(from)].sort(), fusible }
}
