import type { App, Constraints, TaskName } from 'fusionize/setup'
import { clashes, isTogether } from '../fuse.js'
import { FILLED } from './visit.js'

/** What a plan may not do, as the search asks it. */
export interface PlanLimits {
  /** Whether a function of this size may run the task at all. */
  mayRun(task: TaskName, memoryMb: number): boolean
  /** Whether the function named after the task may have this size. */
  mayHost(fn: TaskName, memoryMb: number): boolean
  mayInline(from: TaskName, to: TaskName): boolean
  mustInline(from: TaskName, to: TaskName): boolean
  /** What a task leaves on the function that runs it, when others may not be there too. */
  marksOf(task: TaskName): ReadonlyMap<string, string> | undefined
  /** Whether what is in one function may be together. */
  agree(marks: ReadonlyMap<string, string> | undefined): boolean
  /** Share of a size that may be filled. */
  filled: number
}

/** A plan is free to do anything. */
export const noLimits: PlanLimits = {
  mayRun: () => true,
  mayHost: () => true,
  mayInline: () => true,
  mustInline: () => false,
  marksOf: () => undefined,
  agree: () => true,
  filled: FILLED,
}

const INSIDE = 'inside '

/** Limits from what the user demands of any setup. */
export function limitsOf(app: App, constraints: Constraints): PlanLimits {
  const clash = clashes(app, constraints)
  const tasks = Object.keys(app.tasks)
  const wary = new Set(tasks.filter((a) => tasks.some((b) => a !== b && clash(a, b) !== undefined)))
  const within = (bounds: { min?: number; max?: number } | undefined, memoryMb: number) =>
    memoryMb >= (bounds?.min ?? 0) && memoryMb <= (bounds?.max ?? Number.POSITIVE_INFINITY)
  return {
    ...noLimits,
    mayRun: (task, memoryMb) => within(app.tasks[task]?.memory, memoryMb),
    mayHost: (fn, memoryMb) => within(constraints.memory?.[fn], memoryMb),
    mayInline: (from, to) => clash(from, to) === undefined,
    mustInline: (from, to) => isTogether(constraints, { from, to }) && clash(from, to) === undefined,
    marksOf: (task) => (wary.has(task) ? new Map([[`${INSIDE}${task}`, '']]) : undefined),
    agree(marks) {
      if (!marks) return true
      const inside = [...marks.keys()].flatMap((key) => (key.startsWith(INSIDE) ? [key.slice(INSIDE.length)] : []))
      return inside.every((a, i) => inside.slice(i + 1).every((b) => clash(a, b) === undefined))
    },
  }
}
