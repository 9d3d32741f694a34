import { suggest } from '../suggest.js'
import { isFusible } from './fused-buckets.js'
import { placementViolations } from './placement-rules.js'
import { isObject, shapeProblem } from './shape.js'
import type { App, Constraints, FunctionSpec, FusionSetup, TaskName, Violation } from './types.js'
import { modes } from './types.js'

/**
 * Every rule that a setup breaks; empty when it may be deployed. Every task needs a well-formed function of an allowed size;
 * what tasks may share a sandbox, and memory bounds, are asked of the functions that must exist (`reachableFunctions`).
 * A task's own `memory` bounds hold for every function that runs it, those of `constraints.memory` for the function of its name.
 */
export function validate(
  app: App,
  setup: FusionSetup,
  constraints: Constraints,
  { memoryLadder }: { memoryLadder: readonly number[] },
): Violation[] {
  if (!isObject(setup) || !isObject(setup.functions))
    return [{ rule: 'shape', message: "a setup must be an object with 'functions', an object from tasks to functions" }]
  const tasks = Object.keys(app.tasks)
  const found = [...missingFunctions(tasks, setup), ...unknownInConstraints(tasks, constraints)]
  let wellFormed = true
  for (const [fn, spec] of Object.entries(setup.functions)) {
    const problem = shapeProblem(spec)
    if (problem) {
      wellFormed = false
      found.push({ rule: 'shape', function: fn, message: `function '${fn}' is not well-formed: ${problem}` })
    } else
      found.push(
        ...unknownTasks(tasks, fn, spec),
        ...bucketViolations(app, fn, spec),
        ...settingViolations(fn, spec, memoryLadder),
      )
  }
  return wellFormed ? [...found, ...placementViolations(app, setup, constraints)] : found
}

function missingFunctions(tasks: TaskName[], setup: FusionSetup): Violation[] {
  return tasks
    .filter((task) => !Object.hasOwn(setup.functions, task))
    .map((task) => ({
      rule: 'missing-function',
      function: task,
      message: `task '${task}' has no function; every task needs one of its name in every setup: add it`,
    }))
}

function unknownTasks(tasks: TaskName[], fn: TaskName, spec: FunctionSpec): Violation[] {
  const found: Violation[] = []
  const check = (task: TaskName, where: string) => {
    if (!tasks.includes(task))
      found.push({
        rule: 'unknown-task',
        function: fn,
        message: `${where} names '${task}', which is no task of the app${suggest(task, tasks)}; remove or rename it`,
      })
  }
  check(fn, 'a function')
  for (const mode of modes) for (const to of spec.inline[mode]) check(to, `inline.${mode} of function '${fn}'`)
  for (const map of ['bundle', 'passing', 'prewarm'] as const)
    for (const to of Object.keys(spec[map])) check(to, `${map} of function '${fn}'`)
  return found
}

function bucketViolations(app: App, fn: TaskName, spec: FunctionSpec): Violation[] {
  const known = Object.keys(app.buckets ?? {})
  return spec.buckets
    .filter((bucket) => !isFusible(app, bucket))
    .map((bucket) => {
      const message = known.includes(bucket)
        ? `bucket '${bucket}' cannot be evaluated by function '${fn}': one of its triggers has a clock or sees more than one session; remove it there`
        : `buckets of function '${fn}' names '${bucket}', which is no bucket of the app${suggest(bucket, known)}; remove or rename it`
      return { rule: 'bucket', function: fn, message }
    })
}

function unknownInConstraints(tasks: TaskName[], constraints: Constraints): Violation[] {
  const named = {
    isolate: constraints.isolate ?? [],
    together: (constraints.together ?? []).flat(),
    apart: (constraints.apart ?? []).flat(),
    memory: Object.keys(constraints.memory ?? {}),
    zones: Object.values(constraints.zones ?? {}).flat(),
  }
  return Object.entries(named).flatMap(([key, names]) =>
    names
      .filter((name) => !tasks.includes(name))
      .map((name): Violation => {
        const message = `constraints.${key} names '${name}', which is no task of the app${suggest(name, tasks)}; correct the configuration`
        return { rule: 'unknown-task', message }
      }),
  )
}

function settingViolations(fn: TaskName, spec: FunctionSpec, memoryLadder: readonly number[]): Violation[] {
  const found: Violation[] = []
  const isCount = (x: number) => Number.isSafeInteger(x) && x >= 1
  if (!memoryLadder.includes(spec.memory)) {
    const message = `function '${fn}' has ${spec.memory} MB, which the platform does not offer; choose one of ${memoryLadder.join(', ')} MB`
    found.push({ rule: 'memory-ladder', function: fn, message })
  }
  if (!isCount(spec.concurrency)) {
    const message = `function '${fn}' has concurrency ${spec.concurrency}; requests at a time are a whole number, 1 or more`
    found.push({ rule: 'concurrency', function: fn, message })
  }
  for (const [to, items] of Object.entries(spec.bundle))
    if (!isCount(items)) {
      const message = `function '${fn}' bundles ${items} items per invocation of '${to}'; that is a whole number, 1 or more`
      found.push({ rule: 'bundle', function: fn, edge: { from: fn, to, mode: 'map' }, message })
    }
  return found
}
