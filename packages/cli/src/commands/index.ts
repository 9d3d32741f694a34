import type { Command } from '../terminal/command.js'

/** Every command of `fusionize`, in the order of its help; loaded when it is asked for. */
export const commands: Record<string, () => Promise<Command>> = {
  init: async () => (await import('./init.js')).default,
  dev: async () => (await import('./dev.js')).default,
  build: async () => (await import('./build.js')).default,
  invoke: async () => (await import('./invoke.js')).default,
  send: async () => (await import('./send.js')).default,
  optimize: async () => (await import('./optimize.js')).default,
  plan: async () => (await import('./plan.js')).default,
  simulate: async () => (await import('./simulate.js')).default,
  status: async () => (await import('./status.js')).default,
  logs: async () => (await import('./logs.js')).default,
  graph: async () => (await import('./graph.js')).default,
  characterize: async () => (await import('./characterize.js')).default,
  advise: async () => (await import('./advise.js')).default,
  flush: async () => (await import('./flush.js')).default,
  deploy: async () => (await import('./deploy.js')).default,
  destroy: async () => (await import('./destroy.js')).default,
  export: async () => (await import('./export.js')).default,
  dlq: async () => (await import('./dlq.js')).default,
}
