import type { App, Mode, TaskInfo } from '../src/setup/index.js'

/**
 * An app from a few words: `appOf({ ingest: 'POST /', check: {} }, ['ingest call check', 'check send+map store'])`. Tasks that
 * only edges name are added.
 */
export function appOf(tasks: Record<string, string | Partial<TaskInfo>>, edges: readonly string[] = []): App {
  const read = edges.map((edge) => {
    const [from = '', how = '', to = ''] = edge.split(' ')
    return { from, to, modes: how.split('+') as Mode[] }
  })
  const infos = new Map<string, TaskInfo>()
  for (const name of [...Object.keys(tasks), ...read.flatMap(({ from, to }) => [from, to])].sort()) {
    const given = Object.hasOwn(tasks, name) ? tasks[name] : undefined
    const [method = '', path = ''] = typeof given === 'string' ? given.split(' ') : []
    const options = typeof given === 'string' ? { http: { method, path } } : given
    infos.set(name, { name, file: `tasks/${name}.ts`, line: 1, ...options })
  }
  return { name: 'sketch', tasks: Object.fromEntries(infos), edges: read }
}
