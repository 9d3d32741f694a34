import { type Tree, treeOf } from '../model/tree.js'
import type { RequestTrace } from '../traces/types.js'
import { edgeNumberOf, type Observed } from './observe.js'

/** A kept request, ready for many replays. */
export interface Kept {
  entry: string
  /** Requests that were seen for this one. */
  weight: number
  arrivalMs: number
  tree: Tree
  /** Calls that were open beside another of the same run, by the index of what they called. */
  besides: number[]
  /** Number of the edge that each run was called by; -1: the request. */
  edge: Int32Array
  /** Memory of every invocation was told or assumed: it has a price. */
  priced: boolean
}

/**
 * The kept requests in order of arrival. Where a memory is not told it is the assumed one, else a full core's: then nothing gets faster or slower by
 * size, and no cost is told.
 */
export function keptOf(seen: Observed, assumedMemoryMb: number | undefined, mbPerCore: number): Kept[] {
  return [...seen.entries]
    .flatMap(([entry, { items, seen: count }]) =>
      items.map((trace): Kept => {
        const sized = withMemory(trace, assumedMemoryMb, mbPerCore)
        const tree = treeOf(sized)
        return {
          entry,
          weight: count / items.length,
          arrivalMs: trace.arrivalMs,
          tree,
          besides: besideOf(tree),
          edge: edgesOf(seen, trace),
          priced: assumedMemoryMb !== undefined || sized === trace,
        }
      }),
    )
    .sort((a, b) => a.arrivalMs - b.arrivalMs)
}

function withMemory(trace: RequestTrace, assumedMb: number | undefined, mbPerCore: number): RequestTrace {
  if (trace.invocations.every(({ memoryMb }) => memoryMb !== undefined)) return trace
  const largest = Math.max(0, ...trace.invocations.map(({ memoryMb = 0 }) => memoryMb))
  const memoryMb = assumedMb ?? (largest > 0 ? largest : mbPerCore)
  const invocations = trace.invocations.map((one) => (one.memoryMb === undefined ? { ...one, memoryMb } : one))
  return { ...trace, invocations }
}

function edgesOf(seen: Observed, { runs }: RequestTrace): Int32Array {
  return Int32Array.from(runs, ({ mode, parent, task }) => {
    const caller = runs[parent]
    return caller ? edgeNumberOf(seen, caller.task, task, mode) : -1
  })
}

function besideOf({ nodes }: Tree): number[] {
  const found: number[] = []
  for (const { steps } of nodes) {
    if (steps.length < 2) continue
    let [group, reach] = [[] as number[], Number.NEGATIVE_INFINITY]
    const close = () => {
      if (group.length > 1) found.push(...group)
    }
    for (const step of steps) {
      const callee = nodes[step.child]
      if (!callee || (step.mode === 'send' && step.route === 'inline')) continue
      const startMs = callee.startMs - step.lagMs
      if (startMs >= reach) {
        close()
        group = []
      }
      group.push(step.child)
      const endMs = startMs + step.handOverMs + (step.mode === 'send' ? 0 : callee.wallMs)
      reach = Math.max(reach, endMs)
    }
    close()
  }
  return found
}
