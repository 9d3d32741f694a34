import { setTimeout as pause } from 'node:timers/promises'
import { askRuntime } from './runtime-api.js'

/** Ms that a run has to stop after its time is up: some before its answer leaves, some after that. */
const BEFORE_MS = 50
const AFTER_MS = 450

/** Runs that somebody waits for, whose time is up, and which go on all the same. */
export interface StuckRuns {
  /** @param request Lambda's id of the invocation  @param stopped settles when the run has ended after all */
  late(request: string, stopped: Promise<void>): void
  /**
   * Ends the environment where the invocation's run does not stop. The runtime would ask for the next event as soon as this one is answered; so
   * the answer goes to Lambda past the runtime, and no other request ever comes here.
   */
  end(request: string, answer: unknown): Promise<void>
}

/** @param api host and port of the runtime's API  @param ends told when the environment is about to end */
export function stuckRuns(api: string, ends: () => void): StuckRuns {
  // An environment has one invocation at a time.
  let last: { request: string; stopped: Promise<void> } | undefined
  return {
    late(request, stopped) {
      last = { request, stopped }
    },
    async end(request, answer) {
      // A stream is the runtime's alone.
      if (last?.request !== request || answer instanceof Response) return
      const { stopped } = last
      const isOver = (ms: number) => Promise.race([stopped.then(() => true), pause(ms, false)])
      if (await isOver(BEFORE_MS)) return
      await askRuntime(api, 'POST', `/2018-06-01/runtime/invocation/${request}/response`, {}, JSON.stringify(answer))
      ends()
      await isOver(AFTER_MS)
      process.exit(1)
    },
  }
}
