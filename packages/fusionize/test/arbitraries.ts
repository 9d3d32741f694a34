import fc from 'fast-check'
import type { App, FunctionSpec, FusionSetup, StaticEdge, TaskInfo } from '../src/setup/index.js'
import { artifactTasks, defaultSpec, isFusible, modes, normalizeSetup } from '../src/setup/index.js'
import { type BucketSketch, withBuckets } from './apps.js'

/** Names that trip code up: object members, dashes at the end, prefixes of each other, words of the notation. */
const awkwardNames = ['constructor', 'a', 'a-', 'a-b', 'a1', 'threads', 'call', 'map', 'e2', 'bundle']

const nameArbitrary = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...awkwardNames) },
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{0,7}$/) },
)

/** Apps without buckets, of 1 to 8 tasks with any edges (cycles and recursion too); some tasks are entries, isolated or ask for a least memory of 256 MB. */
export const appArbitrary: fc.Arbitrary<App> = fc
  .uniqueArray(nameArbitrary, { minLength: 1, maxLength: 8 })
  .map((names) => names.sort())
  .chain((names) =>
    fc.record({
      tasks: fc.tuple(...names.map(taskArbitrary)),
      edges: fc.uniqueArray(edgeArbitrary(names), {
        maxLength: 2 * names.length,
        selector: (edge) => `${edge.from} ${edge.to}`,
      }),
    }),
  )
  .map(({ tasks, edges }) => ({
    name: 'generated',
    tasks: Object.fromEntries(tasks.map((task) => [task.name, task])),
    edges: edges.sort((a, b) => (a.from === b.from ? (a.to < b.to ? -1 : 1) : a.from < b.from ? -1 : 1)),
  }))

/** The same with up to 3 buckets; some have no triggers, some no producers, some cannot be fused. */
export const bucketAppArbitrary: fc.Arbitrary<App> = appArbitrary.chain((app) => {
  const some = fc.uniqueArray(fc.constantFrom(...Object.keys(app.tasks)), { maxLength: 3 })
  const sketch: fc.Arbitrary<BucketSketch> = fc.record({
    from: some,
    to: some,
    fusible: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  })
  const names = fc.constantFrom('clicks', 'frames', 'models-v2', 'constructor', ...Object.keys(app.tasks))
  return fc
    .dictionary(names, sketch, { maxKeys: 3, noNullPrototype: true })
    .map((buckets) => sorted(withBuckets(app, buckets)))
})

function sorted(app: App): App {
  const place = ({ from, to }: StaticEdge) => [from, to]
  return { ...app, edges: [...app.edges].sort((a, b) => (place(a) < place(b) ? -1 : 1)) }
}

function taskArbitrary(name: string): fc.Arbitrary<TaskInfo> {
  return fc
    .record({
      http: fc.option(fc.constant({ method: 'POST', path: `/${name}` }), { freq: 3, nil: undefined }),
      isolate: fc.option(fc.constant(true), { freq: 8, nil: undefined }),
      memory: fc.option(fc.constant({ min: 256 }), { freq: 6, nil: undefined }),
    })
    .map((options) => ({ name, file: `tasks/${name}.ts`, line: 1, ...options }))
}

function edgeArbitrary(names: string[]): fc.Arbitrary<StaticEdge> {
  return fc.record({
    from: fc.constantFrom(...names),
    to: fc.constantFrom(...names),
    modes: fc.subarray([...modes], { minLength: 1 }),
  })
}

export interface SetupArbitraryOptions {
  /** Only routes that the source can take, buckets and memory vary; all else is as in `defaultSpec`. @default false */
  routesOnly?: boolean
  /** Beside routes, how many items remote maps take in one invocation, how items run, and how many invocations share a sandbox. @default false */
  maps?: boolean
  /** Beside routes, how parallel work runs, how remote routes hand data over, and what is started ahead within 50 ms. @default false */
  hand?: boolean
}

/**
 * Setups that `validate` accepts without constraints, in normal form: the tasks' own `isolate` and `memory.min` are kept to.
 * @param ladder memory sizes, MB; the largest must satisfy every task
 */
export function setupArbitrary(
  app: App,
  ladder: readonly number[],
  options: SetupArbitraryOptions = {},
): fc.Arbitrary<FusionSetup> {
  const names = Object.keys(app.tasks)
  const specs = names.map((fn) => specArbitrary(app, fn, ladder, options))
  return fc
    .tuple(...specs)
    .map((all) => normalizeSetup({ functions: Object.fromEntries(names.map((fn, i) => [fn, all[i] as FunctionSpec])) }))
    .map((setup) => withinBounds(app, setup, ladder))
}

function specArbitrary(
  app: App,
  fn: string,
  ladder: readonly number[],
  { routesOnly = false, maps = false, hand = false }: SetupArbitraryOptions,
): fc.Arbitrary<FunctionSpec> {
  const mayRun = (to: string) => to === fn || (!app.tasks[fn]?.isolate && !app.tasks[to]?.isolate)
  const mayEvaluate = (bucket: string) =>
    isFusible(app, bucket) && app.edges.every(({ to, buckets }) => !buckets?.includes(bucket) || mayRun(to))
  const buckets = fc.subarray(Object.keys(app.buckets ?? {}).filter(mayEvaluate))
  const taken = (mode: StaticEdge['modes'][number]) =>
    app.edges.filter((edge) => edge.modes.includes(mode)).map((edge) => edge.to)
  const list = (mode: StaticEdge['modes'][number]) => {
    const candidates = routesOnly ? taken(mode) : [...Object.keys(app.tasks), ...taken(mode)]
    return fc.subarray([...new Set(candidates)].filter(mayRun))
  }
  const inline = fc.record({ call: list('call'), send: list('send'), map: list('map') })
  const memory = fc.constantFrom(...ladder)
  const mapped = [...new Set(taken('map'))]
  const bundle =
    maps && mapped.length > 0
      ? fc.dictionary(fc.constantFrom(...mapped), fc.integer({ min: 1, max: 5 }), { noNullPrototype: true })
      : fc.constant({})
  const parallel = fc.constantFrom(undefined, 'loop' as const, 'threads' as const, 'processes' as const)
  const byTask = <T>(values: fc.Arbitrary<T>) =>
    fc.dictionary(fc.constantFrom(...Object.keys(app.tasks)), values, { maxKeys: 2, noNullPrototype: true })
  const passing = byTask(fc.constantFrom('payload' as const, 'local' as const, 'direct' as const, 'store' as const))
  const soon = byTask(fc.integer({ min: 0, max: 50 }))
  const sharing = maps ? fc.constantFrom(1, 1, 4) : fc.constant(1)
  if (routesOnly)
    return fc
      .record({
        memory,
        inline,
        buckets,
        bundle,
        parallel: maps || hand ? parallel : fc.constant(undefined),
        concurrency: sharing,
        passing: hand ? passing : fc.constant({}),
        prewarm: hand ? soon : fc.constant({}),
      })
      .map((spec) => ({ ...defaultSpec(0), ...spec }))
  return fc.record({
    memory,
    inline,
    bundle: byTask(fc.integer({ min: 1, max: 100 })),
    buckets,
    concurrency: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1000 })),
    parallel,
    passing,
    prewarm: byTask(fc.double({ min: 0, max: 1e6, noNaN: true }).map(Math.abs)),
  })
}

function withinBounds(app: App, setup: FusionSetup, ladder: readonly number[]): FusionSetup {
  const functions = { ...setup.functions }
  for (const [fn, spec] of Object.entries(functions)) {
    const least = Math.max(0, ...artifactTasks(app, setup, fn).map((task) => app.tasks[task]?.memory?.min ?? 0))
    if (spec.memory < least) functions[fn] = { ...spec, memory: ladder.find((mb) => mb >= least) ?? spec.memory }
  }
  return { functions }
}

/** An app, with or without buckets, together with valid setups of it. */
export function appWithSetups(
  count: number,
  ladder: readonly number[] = [128, 256, 512, 1024],
  options: SetupArbitraryOptions = {},
): fc.Arbitrary<{ app: App; setups: FusionSetup[] }> {
  return bucketAppArbitrary.chain((app) =>
    fc
      .array(setupArbitrary(app, ladder, options), { minLength: count, maxLength: count })
      .map((setups) => ({ app, setups })),
  )
}
