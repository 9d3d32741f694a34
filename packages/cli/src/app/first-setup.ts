import { type App, type FusionSetup, normalizeSetup, remoteSetup, type TaskName } from 'fusionize/setup'
import type { ResolvedConfig } from './config.js'
import { requireValid } from './require-valid.js'

/**
 * Where an application starts: every task in a function of its own, all calls remote, but for what its constraints demand.
 * @throws {FusionizeError} `INVALID_SETUP` when no such setup keeps the constraints
 */
export function firstSetup(app: App, config: ResolvedConfig, memoryLadder?: readonly number[]): FusionSetup {
  const { functions } = remoteSetup(app, config.memory)
  for (const spec of Object.values(functions)) spec.inline = { call: [], send: [], map: [] }
  for (const fn of Object.keys(functions)) fuseTogether(app, functions, fn, config.constraints.together ?? [])
  for (const fn of Object.keys(functions)) {
    const spec = functions[fn] as FusionSetup['functions'][string]
    const inside = [fn, ...Object.values(spec.inline).flat()]
    const least = [config.constraints.memory?.[fn]?.min, ...inside.map((task) => app.tasks[task]?.memory?.min)]
    const wanted = Math.max(config.memory, ...least.map((mb) => mb ?? 0))
    const most = [config.constraints.memory?.[fn]?.max, ...inside.map((task) => app.tasks[task]?.memory?.max)]
    spec.memory = sizeBetween(wanted, Math.min(...most.map((mb) => mb ?? Infinity)), memoryLadder)
  }
  return requireValid(app, normalizeSetup({ functions }), config.constraints, memoryLadder)
}

/** Makes the calls between tasks of one group inline in everything that `fn` then contains. */
function fuseTogether(
  app: App,
  functions: FusionSetup['functions'],
  fn: TaskName,
  groups: readonly TaskName[][],
): void {
  const spec = functions[fn] as FusionSetup['functions'][string]
  const inside = new Set([fn])
  for (const from of inside)
    for (const edge of app.edges) {
      if (edge.from !== from || !groups.some((group) => group.includes(from) && group.includes(edge.to))) continue
      inside.add(edge.to)
      for (const mode of edge.modes) spec.inline[mode].push(edge.to)
    }
}

/** The smallest size on the ladder that is enough; the largest that is allowed when none is. */
function sizeBetween(wanted: number, most: number, ladder: readonly number[] | undefined): number {
  if (ladder === undefined) return Math.min(wanted, most)
  const allowed = ladder.filter((size) => size <= most)
  return allowed.find((size) => size >= wanted) ?? allowed.at(-1) ?? wanted
}
