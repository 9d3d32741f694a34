import type { Node, Step } from './tree.js'
import type { ModelSetup } from './types.js'

/** Where calls run, and in what. */
export interface Routes {
  /** @param fn function that the caller runs in */
  isInline(fn: string, step: Step, callee: Node): boolean
  /** MB of a function. @param node what it is invoked for @returns undefined if nothing tells */
  memoryOf(fn: string, node: Node): number | undefined
}

/** The routes of a setup. */
export function routesOf({ functions }: ModelSetup): Routes {
  return {
    isInline: (fn, { mode }, { task }) => functions[fn]?.inline[mode].includes(task) === true,
    memoryOf: (fn, node) => functions[fn]?.memory ?? node.memoryMb,
  }
}
