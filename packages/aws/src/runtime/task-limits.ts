import { definitionOf, type FunctionModule } from 'fusionize/runtime'

const DEFAULT_RETRIES = 2

/** What the tasks of a function say of their runs. */
export interface TaskLimits {
  /** Ms that a run may take. */
  timeoutMs(task: string): number
  /** Ms that the run of any of them may take. */
  longestMs: number
  /** Runs after one that failed. */
  retries(task: string): number
  /** Bucket that the task answers requests from. */
  answersFrom(task: string): string | undefined
}

/** @param timeoutMs of a task that sets none */
export function taskLimits({ tasks }: FunctionModule, timeoutMs: number): TaskLimits {
  const options = new Map(
    tasks.flatMap((task) => {
      const definition = definitionOf(task)
      return definition ? [[definition.name, definition.options] as const] : []
    }),
  )
  const limitOf = (task: string) => options.get(task)?.timeout ?? timeoutMs
  return {
    timeoutMs: limitOf,
    longestMs: Math.max(timeoutMs, ...[...options.keys()].map(limitOf)),
    retries: (task) => options.get(task)?.retries ?? DEFAULT_RETRIES,
    answersFrom: (task) => options.get(task)?.result?.bucketName,
  }
}
