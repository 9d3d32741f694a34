import { defaultSpec, type FunctionSpec, type FusionSetup, type TaskName } from 'fusionize/setup'
import type { CallDag } from './call-dag.js'
import type { Choice, FunctionLabel, Label } from './labels.js'
import type { PlanLimits } from './limits.js'

/** A part plan written out as functions. Hosts choose on their own, so a function that several call may have been chosen differently by each. */
export interface Decisions {
  functions: Map<TaskName, { spec: FunctionSpec; label: FunctionLabel }>
  /** The functions that were chosen differently. */
  disputed: Set<TaskName>
}

export function decisionsOf(entry: FunctionLabel): Decisions {
  const functions: Decisions['functions'] = new Map()
  const disputed = new Set<TaskName>()
  const open = [entry]
  const done = new Set<FunctionLabel>()
  for (const fn of open) {
    if (done.has(fn)) continue
    done.add(fn)
    const spec = defaultSpec(fn.memoryMb)
    walk(fn.label, spec, open)
    for (const mode of ['call', 'send', 'map'] as const) spec.inline[mode] = [...new Set(spec.inline[mode])].sort()
    const known = functions.get(fn.task)
    if (!known) functions.set(fn.task, { spec, label: fn })
    else if (JSON.stringify(known.spec) !== JSON.stringify(spec)) disputed.add(fn.task)
  }
  return { functions, disputed }
}

function walk(label: Label, spec: FunctionSpec, open: FunctionLabel[], seen = new Set<Label>()): void {
  // Paths to a shared task multiply with every level.
  if (seen.has(label)) return
  seen.add(label)
  const visit = (choice: Choice | undefined): void => {
    for (let at = choice; at; at = at.before) {
      if (at.group) {
        visit(at.group)
        continue
      }
      const { to, mode } = at.call
      if (at.inline) {
        spec.inline[mode].push(to)
        walk(at.inline, spec, open, seen)
      } else if (at.remote) {
        if (at.bundle > 1) spec.bundle[to] = at.bundle
        open.push(at.remote)
      }
    }
  }
  visit(label.choice)
}

/** A total map: tasks that no function calls remotely have one of the smallest size that they may have. */
export function setupOf(
  dag: CallDag,
  { functions }: Decisions,
  ladder: readonly number[],
  limits: PlanLimits,
): FusionSetup {
  const spare = (task: TaskName) =>
    ladder.find((memoryMb) => limits.mayRun(task, memoryMb) && limits.mayHost(task, memoryMb)) ??
    (ladder.at(-1) as number)
  const all = Object.keys(dag.tasks)
    .sort()
    .map((task): [TaskName, FunctionSpec] => [task, functions.get(task)?.spec ?? defaultSpec(spare(task))])
  return { functions: Object.fromEntries(all) }
}
