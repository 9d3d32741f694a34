import { type App, artifactTasks, type Constraints, type FusionSetup, type TaskName } from 'fusionize/setup'

/** Ladder sizes that a function may have: bounds of the function (constraints), and of every task in it (options). */
export function allowedSizes(
  app: App,
  constraints: Constraints,
  ladder: readonly number[],
  setup: FusionSetup,
  fn: TaskName,
): number[] {
  const bounds = [constraints.memory?.[fn], ...artifactTasks(app, setup, fn).map((task) => app.tasks[task]?.memory)]
  return ladder.filter((size) =>
    bounds.every((bound) => size >= (bound?.min ?? 0) && size <= (bound?.max ?? Number.POSITIVE_INFINITY)),
  )
}

/** The setup with every size moved to the nearest one allowed. */
export function moveIntoBounds(
  app: App,
  constraints: Constraints,
  ladder: readonly number[],
  setup: FusionSetup,
): FusionSetup {
  return Object.keys(setup.functions).reduce((moved, fn) => {
    const wanted = setup.functions[fn]?.memory ?? 0
    const sizes = allowedSizes(app, constraints, ladder, setup, fn)
    const near = sizes.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a), sizes[0] ?? wanted)
    return withMemory(moved, fn, near)
  }, setup)
}

export function withMemory(setup: FusionSetup, fn: TaskName, memory: number): FusionSetup {
  const spec = setup.functions[fn]
  return spec && spec.memory !== memory ? { functions: { ...setup.functions, [fn]: { ...spec, memory } } } : setup
}

/** The setup with all functions at one size. */
export function atMemory(setup: FusionSetup, memory: number): FusionSetup {
  return Object.keys(setup.functions).reduce((all, fn) => withMemory(all, fn, memory), setup)
}

/** The member of an ascending list that is closest by ratio. */
export function nearest(sizes: readonly number[], wanted: number): number | undefined {
  const distance = (size: number) => Math.abs(Math.log(size / wanted))
  return sizes.reduce<number | undefined>((a, b) => (a !== undefined && distance(a) <= distance(b) ? a : b), undefined)
}
