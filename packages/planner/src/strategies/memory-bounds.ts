import { type App, artifactTasks, type Constraints, type FusionSetup } from 'fusionize/setup'

/** Bounds in MB on a function's memory: its own (constraints) and those of every task in it (options). */
export function memoryBounds(
  app: App,
  constraints: Constraints,
  setup: FusionSetup,
  fn: string,
): { min: number; max: number } {
  const own = constraints.memory?.[fn]
  const all = artifactTasks(app, setup, fn).map((task) => app.tasks[task]?.memory)
  return {
    min: Math.max(0, own?.min ?? 0, ...all.map((bounds) => bounds?.min ?? 0)),
    max: Math.min(
      Number.POSITIVE_INFINITY,
      own?.max ?? Number.POSITIVE_INFINITY,
      ...all.map((bounds) => bounds?.max ?? Number.POSITIVE_INFINITY),
    ),
  }
}

/** Ladder sizes that the function may have. */
export function allowedSizes(
  app: App,
  constraints: Constraints,
  ladder: readonly number[],
  setup: FusionSetup,
  fn: string,
): number[] {
  const { min, max } = memoryBounds(app, constraints, setup, fn)
  return ladder.filter((size) => size >= min && size <= max)
}

/** The setup with every size moved to the nearest one allowed. */
export function raiseToBounds(
  app: App,
  constraints: Constraints,
  ladder: readonly number[],
  setup: FusionSetup,
): FusionSetup {
  const functions = Object.entries(setup.functions).map(([fn, spec]) => {
    const sizes = allowedSizes(app, constraints, ladder, setup, fn)
    const memory = sizes.reduce(
      (best, size) => (Math.abs(size - spec.memory) < Math.abs(best - spec.memory) ? size : best),
      sizes[0] ?? spec.memory,
    )
    return [fn, { ...spec, memory }] as const
  })
  return { functions: Object.fromEntries(functions) }
}
