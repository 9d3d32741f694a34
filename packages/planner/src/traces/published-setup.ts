import type { ModelSetup } from '../model/types.js'

/** What `setups.json` beside the record files says. */
export interface PublishedSetups {
  /** In the order in which they were deployed. */
  order: string[]
  setups: Record<string, ModelSetup>
}

/** Without a suffix at its URL a function has this size, MB. */
const UNNAMED_MB = 128

/**
 * Setups of Fusionize's 2023 prototype: `rules[host][task].sync|async = {strategy: local|remote, url}`, where a URL ends in the size
 * (`SYNC-X-768`). A task that no rule names as a callee has the default size; records know better (see `withMemoryOf`).
 * @throws TypeError when it is no such document
 */
export function readPublishedSetups(document: unknown): PublishedSetups {
  const { order, setups } = (document ?? {}) as { order?: unknown; setups?: unknown }
  if (typeof setups !== 'object' || setups === null) throw new TypeError('setups.json has no "setups"')
  const names = Array.isArray(order) ? order.map(String) : Object.keys(setups)
  const known = Object.entries(setups as Record<string, unknown>).map(([name, setup]): [string, ModelSetup] => [
    name,
    setupOf(((setup ?? {}) as { rules?: unknown }).rules),
  ])
  return { order: names, setups: Object.fromEntries(known) }
}

/** The setup with the memory that records tell of: the load generator chose the entry's, whatever the rules said. */
export function withMemoryOf(setup: ModelSetup, memoryMb: Readonly<Record<string, number>>): ModelSetup {
  const functions = { ...setup.functions }
  for (const [name, memory] of Object.entries(memoryMb))
    functions[name] = { memory, inline: functions[name]?.inline ?? { call: [], send: [], map: [] } }
  return { functions }
}

function setupOf(rules: unknown): ModelSetup {
  const hosts = Object.entries((rules ?? {}) as Record<string, unknown>)
  const memory = new Map<string, number>()
  const functions: ModelSetup['functions'] = {}
  for (const [host, tasks] of hosts) {
    const inline = { call: [] as string[], send: [] as string[], map: [] as string[] }
    for (const [task, modes] of Object.entries((tasks ?? {}) as Record<string, unknown>)) {
      const { sync, async } = (modes ?? {}) as Record<string, { strategy?: unknown; url?: unknown } | undefined>
      for (const [mode, rule] of [
        ['call', sync],
        ['send', async],
      ] as const) {
        if (rule?.strategy === 'local' && task !== host) inline[mode].push(task)
        const mb = sizeIn(rule?.url)
        if (mb !== undefined) memory.set(task, mb)
      }
    }
    functions[host] = { memory: UNNAMED_MB, inline }
  }
  for (const [host, spec] of Object.entries(functions))
    functions[host] = { ...spec, memory: memory.get(host) ?? UNNAMED_MB }
  return { functions }
}

function sizeIn(url: unknown): number | undefined {
  const digits = typeof url === 'string' ? /-(\d+)$/.exec(url)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}
