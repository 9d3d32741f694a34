import type { Mode } from 'fusionize/setup'
import { mergeProfiles } from '../../profile/merge.js'
import type { Profile, TaskProfile } from '../../profile/types.js'
import { emptyDistribution, meanOf, mergeDistributions } from '../../statistics/distribution.js'
import type { Round } from '../../types.js'

/** What the rounds so far say about tasks and calls, whatever setup they were seen in. */
export interface Evidence {
  profile: Profile
  /** Calls of an edge per run of its caller; 0 when never seen. */
  callsPerRun(from: string, to: string, mode: Mode): number
  /** Mean hand-over of a remote call or send, ms, from a caller of this memory; NaN when never seen. */
  handOverMs(mode: Mode, memory: number): number
  /** Own time of a task at a memory size, ms, by the fit through the sizes measured. */
  ownMs(task: string, memory: number): number
  /** Share of a task's own time that is CPU, 0…1; 1 when unknown. */
  cpuShare(task: string): number
  /** Sizes at which the task was measured, MB, ascending. */
  sizes(task: string): number[]
}

/**
 * @param mbPerCore memory that gives a full core; single-threaded work gains nothing beyond
 */
export function evidenceOf(rounds: readonly Round[], mbPerCore: number): Evidence {
  const profile = rounds.map((round) => round.profile).reduce(mergeProfiles)
  const fits = new Map(Object.entries(profile.tasks).map(([task, found]) => [task, fitTask(found, mbPerCore)]))
  const handOvers = new Map<string, Map<number, number>>()
  for (const mode of ['call', 'send', 'map'] as const) handOvers.set(mode, handOversOf(profile, mode))
  return {
    profile,
    callsPerRun(from, to, mode) {
      const runs = profile.tasks[from]?.runs ?? 0
      if (runs === 0) return 0
      let calls = 0
      for (const edge of Object.values(profile.edges))
        if (edge.from === from && edge.to === to && edge.mode === mode) calls += edge.calls
      return calls / runs
    },
    handOverMs(mode, memory) {
      const own = handOvers.get(mode) ?? new Map<number, number>()
      const seen = own.size > 0 ? own : (handOvers.get('call') ?? own)
      return inverseFit([...seen])(memory)
    },
    ownMs: (task, memory) => fits.get(task)?.(memory) ?? 0,
    cpuShare(task) {
      let cpu = 0
      let own = 0
      for (const size of Object.values(profile.tasks[task]?.sizes ?? {})) {
        // CPU is throttled below a full core, so waiting for one's share counts as work, not as waiting.
        cpu += size.cpuMs
        own += size.cpuOwnMs
      }
      return own > 0 ? Math.min(1, cpu / own) : 1
    },
    sizes: (task) =>
      Object.keys(profile.tasks[task]?.sizes ?? {})
        .map(Number)
        .sort((a, b) => a - b),
  }
}

function fitTask({ sizes }: TaskProfile, mbPerCore: number): (memory: number) => number {
  const points = Object.entries(sizes).map(([memory, size]): [number, number] => [
    Math.min(Number(memory), mbPerCore),
    meanOf(size.ownMs),
  ])
  const fit = inverseFit(points)
  return (memory) => fit(Math.min(memory, mbPerCore))
}

/**
 * Least squares of a + b/MB with a, b ≥ 0 through (MB, ms): the CPU law of PAPERS §1, which predicts other sizes within 1.5%. A single
 * size says nothing about others: it is taken for a constant.
 */
export function inverseFit(points: readonly (readonly [memory: number, ms: number])[]): (memory: number) => number {
  if (points.length === 0) return () => Number.NaN
  const xs = points.map(([memory]) => 1 / memory)
  const ys = points.map(([, ms]) => ms)
  const mx = xs.reduce((a, b) => a + b) / xs.length
  const my = ys.reduce((a, b) => a + b) / ys.length
  const spread = xs.reduce((sum, x) => sum + (x - mx) ** 2, 0)
  if (spread < 1e-18) return () => my
  let slope = xs.reduce((sum, x, i) => sum + (x - mx) * ((ys[i] as number) - my), 0) / spread
  if (slope < 0) return () => my
  let constant = my - slope * mx
  if (constant < 0) {
    constant = 0
    slope = xs.reduce((sum, x, i) => sum + x * (ys[i] as number), 0) / xs.reduce((sum, x) => sum + x * x, 0)
  }
  return (memory) => constant + slope / memory
}

function handOversOf(profile: Profile, mode: Mode): Map<number, number> {
  const bySize = new Map<number, ReturnType<typeof emptyDistribution>>()
  for (const edge of Object.values(profile.edges)) {
    if (edge.mode !== mode || edge.route !== 'remote') continue
    for (const [memory, overhead] of Object.entries(edge.overheadMs))
      bySize.set(Number(memory), mergeDistributions(bySize.get(Number(memory)) ?? emptyDistribution(), overhead))
  }
  return new Map([...bySize].filter(([, d]) => d.count > 0).map(([memory, d]) => [memory, meanOf(d)]))
}
