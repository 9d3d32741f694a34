import { artifactTasks, reachableFunctions, routeOf, specOf } from './reach.js'
import type { App, Constraints, FusionSetup, Mode, TaskName, Violation } from './types.js'

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
    .flatMap(({ from, to, modes }) =>
      modes
        .filter((mode) => routeOf(setup, fn, to, mode) === 'remote')
        .map((mode): Violation => {
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

/** The inline calls by which a guest gets into a function. */
function entrances(
  { app, setup, fn, inside }: Placement,
  guest: TaskName,
): { from: TaskName; to: TaskName; mode: Mode }[] {
  return app.edges
    .filter(({ from, to }) => to === guest && from !== guest && inside.includes(from))
    .flatMap(({ from, to, modes }) => modes.map((mode) => ({ from, to, mode })))
    .filter(({ mode }) => routeOf(setup, fn, guest, mode) === 'inline')
}

function wayOut(placement: Placement, guest: TaskName): string {
  const ways = entrances(placement, guest)
  const lists = [...new Set(ways.map(({ mode }) => `inline.${mode}`))].join(' and ')
  const callers = [...new Set(ways.map(({ from }) => `'${from}'`))].join(', ')
  return `remove '${guest}' from ${lists} of '${placement.fn}' (reached from ${callers})`
}
