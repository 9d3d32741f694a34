import { setTimeout as sleep } from 'node:timers/promises'

/** One request of the measured application: how long each of its tasks worked by itself. */
export interface Plan {
  /** Own ms by task; two for the task that runs twice. */
  own: Record<string, number[]>
  /** The application waited for its async calls where they were inlined. */
  awaited: boolean
}

/** Takes as long as the task did. @param run of this task in the request, from 0 */
export async function work({ own }: Plan, task: string, run = 0): Promise<void> {
  const ms = own[task]?.[run] ?? 0
  if (ms >= 1) await sleep(ms)
}
