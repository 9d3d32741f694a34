import { directModes, fusedOf } from './fused-buckets.js'
import { artifactTasks, reachableFunctions, routeOf, specOf } from './reach.js'
import type { App, Constraints, FusionSetup, Mode, StaticEdge, TaskName, Violation } from './types.js'

/** What one function that must exist runs; the rules below look at one of these at a time. */
interface Placement {
  app: App
  setup: FusionSetup
  constraints: Constraints
  fn: TaskName
  /** Tasks in its artifact. */
  inside: TaskName[]
}

/** The rules about which tasks share a sandbox, and about memory bounds, in the functions that must exist. */
export function placementViolations(app: App, setup: FusionSetup, constraints: Constraints): Violation[] {
  const existing = reachableFunctions(app, setup).filter((fn) => specOf(setup, fn))
  return [
    ...zoneConflicts(constraints),
    ...existing.flatMap((fn) => {
      const placement = { app, setup, constraints, fn, inside: artifactTasks(app, setup, fn) }
      return [bounds, isolated, together, apart, zones].flatMap((rule) => rule(placement))
    }),
  ]
}

function bounds(placement: Placement): Violation[] {
  const { app, setup, constraints, fn, inside } = placement
  const memory = specOf(setup, fn)?.memory ?? 0
  const own = constraints.memory && Object.hasOwn(constraints.memory, fn) ? constraints.memory[fn] : undefined
  const found: Violation[] = []
  const check = (bound: { min?: number; max?: number } | undefined, whose: string, otherwise: string) => {
    const broken = [
      bound?.min !== undefined && memory < bound.min ? `at least ${bound.min}` : '',
      bound?.max !== undefined && memory > bound.max ? `at most ${bound.max}` : '',
    ].filter((words) => words !== '')
    for (const words of broken) {
      const message = `function '${fn}' has ${memory} MB, but ${whose} ${words} MB; change its memory${otherwise}`
      found.push({ rule: 'memory-bound', function: fn, message })
    }
  }
  check(own, 'constraints.memory says', '')
  for (const task of inside) {
    const otherwise = task === fn ? '' : ` or ${wayOut(placement, task)}`
    check(app.tasks[task]?.memory, `task '${task}' in it demands`, otherwise)
  }
  return found
}

function isolated(placement: Placement): Violation[] {
  const { app, constraints, fn, inside } = placement
  const alone = (task: TaskName) => app.tasks[task]?.isolate === true || constraints.isolate?.includes(task) === true
  return inside
    .filter((task) => task !== fn && (alone(fn) || alone(task)))
    .map((task) => {
      const whole = alone(task) ? task : fn
      const message = `function '${fn}' runs '${task}' too, but '${whole}' is isolated; ${wayOut(placement, task)}`
      return { rule: 'isolate', function: fn, edge: entrances(placement, task)[0], message }
    })
}

function together({ app, setup, constraints, fn, inside }: Placement): Violation[] {
  const bound = (from: TaskName, to: TaskName) =>
    constraints.together?.some((group) => group.includes(from) && group.includes(to)) === true
  return app.edges
    .filter(({ from, to }) => from !== to && inside.includes(from) && bound(from, to))
    .flatMap((edge) =>
      directModes(edge)
        .filter((mode) => routeOf(setup, fn, edge.to, mode) === 'remote')
        .map((mode): Violation => {
          const { from, to } = edge
          const message = `in function '${fn}' '${from}' reaches '${to}' remotely (${mode}), but they belong together: add '${to}' to inline.${mode} of '${fn}'`
          return { rule: 'together', function: fn, edge: { from, to, mode }, message }
        }),
    )
}

function apart(placement: Placement): Violation[] {
  return (placement.constraints.apart ?? []).flatMap((group) => {
    const [first, ...rest] = ownTaskFirst(placement).filter((task) => group.includes(task))
    return rest.map((task) => clash(placement, 'apart', task, `'${first}' and '${task}' must be apart`))
  })
}

function zones(placement: Placement): Violation[] {
  const zoneOf = (task: TaskName) =>
    Object.entries(placement.constraints.zones ?? {}).find(([, tasks]) => tasks.includes(task))?.[0]
  const [first, ...rest] = ownTaskFirst(placement).filter((task) => zoneOf(task) !== undefined)
  if (first === undefined) return []
  return rest
    .filter((task) => zoneOf(task) !== zoneOf(first))
    .map((task) =>
      clash(
        placement,
        'zone',
        task,
        `'${first}' is in zone '${zoneOf(first)}' and '${task}' in zone '${zoneOf(task)}'`,
      ),
    )
}

function zoneConflicts(constraints: Constraints): Violation[] {
  const zones = Object.entries(constraints.zones ?? {})
  return zones.flatMap(([zone, tasks], i) =>
    zones.slice(i + 1).flatMap(([other, others]) =>
      tasks
        .filter((task) => others.includes(task))
        .map((task): Violation => {
          const message = `'${task}' is in zone '${zone}' and in zone '${other}'; keep it in one of them`
          return { rule: 'zone', message }
        }),
    ),
  )
}

function ownTaskFirst({ fn, inside }: Placement): TaskName[] {
  return [fn, ...inside.filter((task) => task !== fn)]
}

function clash(placement: Placement, rule: 'apart' | 'zone', guest: TaskName, why: string): Violation {
  const message = `function '${placement.fn}' runs both: ${why}; ${wayOut(placement, guest)}`
  return { rule, function: placement.fn, edge: entrances(placement, guest)[0], message }
}

/** The edges by which a guest gets into a function. */
function entrances(placement: Placement, guest: TaskName): { from: TaskName; to: TaskName; mode: Mode }[] {
  const { app, setup, fn } = placement
  return entering(placement, guest).flatMap((edge) => {
    const modes = inlineCalls(setup, fn, edge)
    if (fusedOf(app, setup, fn, edge).length > 0 && !modes.includes('send')) modes.push('send')
    return modes.map((mode) => ({ from: edge.from, to: guest, mode }))
  })
}

function wayOut(placement: Placement, guest: TaskName): string {
  const { app, setup, fn } = placement
  const edges = entering(placement, guest)
  const callers = edges.filter((edge) => inlineCalls(setup, fn, edge).length > 0)
  const lists = unique(callers.flatMap((edge) => inlineCalls(setup, fn, edge).map((mode) => `inline.${mode}`)))
  const putters = edges.filter((edge) => fusedOf(app, setup, fn, edge).length > 0)
  const buckets = unique(putters.flatMap((edge) => fusedOf(app, setup, fn, edge).map((bucket) => `'${bucket}'`)))
  const from = (found: StaticEdge[]) => unique(found.map((edge) => `'${edge.from}'`)).join(', ')
  const ways = [
    lists.length > 0 && `remove '${guest}' from ${lists.join(' and ')} of '${fn}' (reached from ${from(callers)})`,
    buckets.length > 0 && `remove ${buckets.join(' and ')} from buckets of '${fn}' (put there by ${from(putters)})`,
  ]
  return ways.filter((way) => way !== false).join(' and ')
}

function entering({ app, inside }: Placement, guest: TaskName): StaticEdge[] {
  return app.edges.filter(({ from, to }) => to === guest && from !== guest && inside.includes(from))
}

function inlineCalls(setup: FusionSetup, fn: TaskName, edge: StaticEdge): Mode[] {
  return directModes(edge).filter((mode) => routeOf(setup, fn, edge.to, mode) === 'inline')
}

function unique(texts: string[]): string[] {
  return [...new Set(texts)]
}
