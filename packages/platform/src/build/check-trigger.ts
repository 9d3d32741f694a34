import {
  byBatchSize,
  byName,
  bySet,
  byTime,
  custom,
  dynamicGroup,
  dynamicJoin,
  FusionizeError,
  immediate,
  redundant,
} from 'fusionize'
import type { TaskFiles } from './exports.js'
import type { Graph } from './graph.js'
import { namedBy, type Place, writtenOut } from './names.js'
import { constantAt, optionsAt, type TriggerKind, type TriggerSource } from './read-trigger.js'

const constructors = {
  immediate,
  byName,
  bySet,
  byBatchSize,
  byTime,
  redundant,
  dynamicJoin,
  dynamicGroup,
  custom,
} satisfies Record<TriggerKind, unknown>

/**
 * What the constructor of a trigger has against its arguments, as it says itself; undefined when it has nothing, or when the
 * arguments are only known at run time.
 */
export function triggerProblem(
  graph: Graph,
  tasks: TaskFiles,
  source: TriggerSource,
): { message: string; remedy: string } | undefined {
  const args = source.args.map((place) => constantAt(graph, place))
  const options = source.options && argumentOptions(graph, tasks, source.options)
  if (!options) return undefined
  const values: unknown[] = []
  for (const arg of args) {
    if (arg === 'notConstant') return undefined
    values.push(arg.value)
  }
  try {
    const make = constructors[source.kind] as (...args: unknown[]) => unknown
    make(...values, ...(values.length === optionsAt[source.kind] ? [options] : []))
    return undefined
  } catch (error) {
    const text = error instanceof FusionizeError ? error.message : `${source.kind}(): the arguments do not fit`
    const [message = '', ...remedy] = text.split('; ')
    return { message, remedy: remedy.join('; ') || 'correct its arguments' }
  }
}

/** The options with stand-ins for what is not data: the constructor only looks at what kind of value it is. */
function argumentOptions(
  graph: Graph,
  tasks: TaskFiles,
  options: ReadonlyMap<string, Place>,
): Record<string, unknown> | undefined {
  const values: Record<string, unknown> = {}
  for (const [name, place] of options) {
    const constant = constantAt(graph, place)
    if (constant !== 'notConstant') values[name] = constant.value
    else if (name === 'onIncomplete') values[name] = standInTask(graph, tasks, place)
    else if (name === 'step') values[name] = () => ({ state: null })
    else if (name === 'initial') values[name] = null
    else return undefined
  }
  return values
}

function standInTask(graph: Graph, tasks: TaskFiles, place: Place): { taskName: string } {
  const meaning = namedBy(graph, tasks, writtenOut(graph, tasks, place))
  return { taskName: meaning?.kind === 'task' ? meaning.task : 'task' }
}
