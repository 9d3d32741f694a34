import type { BuildProblem, BuildProblemKind } from './problems.js'
import { type AnyNode, locate, type Source } from './source.js'

/** Reports a problem at a node. */
export type Report = (kind: BuildProblemKind, at: AnyNode, message: string, remedy: string) => void

/** Adds what is reported about one file to `problems`. */
export function reportIn(source: Source, problems: BuildProblem[]): Report {
  return (kind, at, message, remedy) => problems.push({ kind, ...locate(source, at.start), message, remedy })
}
