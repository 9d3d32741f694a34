import { FusionizeError } from 'fusionize'

/** What kind of mistake a build found; stable, for programs. */
export type BuildProblemKind =
  | 'syntax'
  | 'unresolved-import'
  | 'missing-export'
  | 'no-tasks'
  | 'task-outside'
  | 'task-arguments'
  | 'task-name'
  | 'task-not-exported'
  | 'several-tasks'
  | 'duplicate-task'
  | 'unknown-option'
  | 'option-not-constant'
  | 'option-value'
  | 'http-pattern'
  | 'duplicate-route'
  | 'non-task-import'
  | 'result-called'
  | 'bucket-name'
  | 'bucket-not-exported'
  | 'bucket-beside-task'
  | 'duplicate-bucket'
  | 'bucket-trigger'
  | 'called-before-definition'
  | 'used-before-definition'
  | 'bundle'

/** One mistake in the application's source: where it is, what it is and what to do about it. */
export interface BuildProblem {
  kind: BuildProblemKind
  /** Relative to the app's folder, with `/`. */
  file: string
  /** Both from 1. */
  line: number
  column: number
  message: string
  remedy: string
}

/** The application cannot be built; `problems` has everything that was found, in order of file and line. */
export class BuildError extends FusionizeError {
  readonly problems: readonly BuildProblem[]
  constructor(problems: readonly BuildProblem[]) {
    const sorted = [...problems].sort(
      (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.message, b.message),
    )
    super('BUILD_FAILED', sorted.map(describe).join('\n'), { problems: sorted })
    this.problems = sorted
  }
}

function describe(problem: BuildProblem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}; ${problem.remedy}`
}

/** Order of strings that does not depend on the machine's locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
