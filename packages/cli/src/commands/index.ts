import type { Command } from '../terminal/command.js'

/** Every command of `fusionize`, in the order of its help; loaded when it is asked for. */
export const commands: Record<string, () => Promise<Command>> = {
  init: async () => (await import('./init.js')).default,
  build: async () => (await import('./build.js')).default,
  optimize: async () => (await import('./optimize.js')).default,
  graph: async () => (await import('./graph.js')).default,
}
