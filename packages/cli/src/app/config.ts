import type { Goal } from '@fusionize/planner'
import type { AwsOptions, Config, LoadProfile, LoadRequest, LocalOptions } from 'fusionize'
import type { Constraints } from 'fusionize/setup'

/** `Config` with every default filled in. What the platform's own options leave out is the platform's to fill. */
export interface ResolvedConfig {
  app: string
  tasks: string[]
  platform: 'local' | 'aws'
  local: LocalOptions
  aws: AwsOptions
  /** MB of every function in the first setup. */
  memory: number
  goal: Goal
  constraints: Constraints
  env: Record<string, string>
  load: {
    /** Absent when the configuration has none: then no load can be made. */
    request?: (index: number, random: () => number) => LoadRequest
    profiles: Record<'steady' | 'burst' | 'cold', LoadProfile>
  }
}

/** What an application gets that says nothing. */
export const defaults = {
  tasks: ['tasks'],
  platform: 'local',
  memory: 128,
  goal: { minimize: 'balanced' },
  profiles: {
    steady: { kind: 'steady', rps: 10, seconds: 30 },
    burst: { kind: 'burst', from: 5, to: 40, step: 5, everySeconds: 2 },
    cold: { kind: 'cold', rps: 1, seconds: 20 },
  },
} as const satisfies Partial<Omit<ResolvedConfig, 'tasks'>> & {
  tasks: readonly string[]
  profiles: ResolvedConfig['load']['profiles']
}

/** @param name what the application is called when the configuration does not say */
export function resolveConfig(config: Config, name: string): ResolvedConfig {
  return {
    app: config.app ?? name,
    tasks: config.tasks ?? [...defaults.tasks],
    platform: config.platform ?? defaults.platform,
    local: config.local ?? {},
    aws: config.aws ?? {},
    memory: config.memory ?? defaults.memory,
    goal: { ...config.goal, minimize: config.goal?.minimize ?? defaults.goal.minimize },
    constraints: config.constraints ?? {},
    env: config.env ?? {},
    load: { request: config.load?.request, profiles: { ...defaults.profiles, ...config.load?.profiles } },
  }
}
