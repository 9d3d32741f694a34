import { type FunctionSpec, type FusionSetup, routeOf, type TaskName } from 'fusionize/setup'
import { quantile } from '../../statistics/bootstrap.js'
import type { PlannerFacts } from '../../types.js'
import type { CallDag, CallTask, DagCall } from './call-dag.js'
import { type Remote, rulesOf, type Visit } from './visit.js'

/** Percentiles, ms. */
export interface LatencyFigures {
  p50Ms: number
  p95Ms: number
  p99Ms: number
}

/** What a setup is predicted to do. ms, USD per million requests */
export interface SetupFigures extends LatencyFigures {
  meanMs: number
  costPerMillionUsd: number
  /** Of the requests to each entry; absent where there is one. */
  entries?: Record<TaskName, LatencyFigures>
}

/**
 * Predicts setups. The search composes plans by the rules of `visit.ts`; any other predictor, such as one that replays recorded traces, can judge the plans
 * that it found best (`PlanCallsOptions.predictor`).
 */
export interface Predictor {
  name: string
  predict(setup: FusionSetup): SetupFigures
}

/**
 * Predicts by the rules of `visit.ts`: warm sandboxes, one request at a time, inline sends after the reply, remote work with its hand-over.
 * @throws RangeError for a setup without a function that is needed
 */
export function analyticPredictor(dag: CallDag, facts: PlannerFacts): Predictor {
  const rules = rulesOf(dag, facts)
  return {
    name: 'analytic',
    predict(setup) {
      const known = new Map<TaskName, Visit>()
      const specOf = (fn: TaskName): FunctionSpec => {
        const spec = setup.functions[fn]
        if (!spec) throw new RangeError(`the setup has no function '${fn}'`)
        return spec
      }
      const visitOf = (fn: TaskName): Visit => {
        const found = known.get(fn) ?? run(fn, fn)
        known.set(fn, found)
        return found
      }
      const take = (fn: TaskName, host: Visit, call: DagCall): Visit => {
        const { memory, bundle } = specOf(fn)
        if (routeOf(setup, fn, call.to, call.mode) === 'inline')
          return rules.inline(host, call, run(fn, call.to), memory)
        const items = call.mode === 'map' ? call.times : undefined
        const callee: Remote = rules.close(visitOf(call.to), specOf(call.to).memory, items, bundle[call.to] ?? 1)
        return rules.remote(host, call, callee, memory)
      }
      // By function and task: paths to a shared task multiply with every level.
      const inside = new Map<string, Visit>()
      const run = (fn: TaskName, name: TaskName): Visit => {
        const key = `${fn} ${name}`
        const found = inside.get(key) ?? runOnce(fn, name)
        inside.set(key, found)
        return found
      }
      const runOnce = (fn: TaskName, name: TaskName): Visit => {
        const task = dag.tasks[name] as CallTask
        return stepsOf(task).reduce(
          (host, step) => {
            const [first] = step
            if (step.length === 1) return take(fn, host, first as DagCall)
            const members = step.map((call) => take(fn, rules.nothing(), call))
            return rules.beside(host, members.reduce(rules.join, rules.nothing()))
          },
          rules.own(task, specOf(fn).memory),
        )
      }
      return figuresOf(rules.close(visitOf(dag.entry), specOf(dag.entry).memory), facts)
    },
  }
}

/** Calls of a task one after the other, those of a group together. */
export function stepsOf({ calls }: CallTask): DagCall[][] {
  const steps: DagCall[][] = []
  const groups = new Map<string, DagCall[]>()
  for (const call of calls) {
    const open = call.group === undefined ? undefined : groups.get(call.group)
    if (open) {
      open.push(call)
      continue
    }
    const step = [call]
    steps.push(step)
    if (call.group !== undefined) groups.set(call.group, step)
  }
  return steps
}

export function figuresOf({ replyMs, costUsd }: Remote, { prices }: PlannerFacts): SetupFigures {
  const sorted = Float64Array.from(replyMs).sort()
  return {
    p50Ms: quantile(sorted, 0.5),
    p95Ms: quantile(sorted, 0.95),
    p99Ms: quantile(sorted, 0.99),
    meanMs: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length,
    costPerMillionUsd: 1e6 * (costUsd + prices.perGatewayRequest),
  }
}
