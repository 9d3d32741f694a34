import { noResultError, timeoutError } from 'fusionize'
import type { Outcome } from 'fusionize/runtime'
import { wireText } from '../engine/failures.js'
import type { Answer, Job, JobRequest } from '../engine/job.js'
import { outcomeOf } from '../engine/parts.js'
import type { Part } from '../sandbox/messages.js'
import type { Send } from '../send.js'
import type { Buckets } from './index.js'

export interface EntryPorts {
  buckets: Buckets
  /** Keeps the entry's own run as a send, when its answer goes out before the run is over. */
  hold(send: Send, sandbox: string): Promise<unknown>
  settled(id: string, outcome: Outcome): void
}

/**
 * An entry that a bucket answers for. Its caller gets the first object of the bucket, or the error of the entry's own run, or that
 * the session ended without one. An answer acknowledges the session: should the entry still run, it is kept like a send from then on.
 */
export function awaitEntry(
  ports: EntryPorts,
  { task, bucket, setup, limitMs }: { task: string; bucket: string; setup: string; limitMs: number },
  request: JobRequest,
  answer: Answer,
) {
  let answered = false
  // The entry may fail while its answer is being kept: the first word counts.
  const settle: Answer = (ok, part) => {
    if (answered) return
    answered = true
    answer(ok, part)
  }
  let job: Job | undefined
  let over = false
  let kept = false
  /** The session ended before the run's own end was known here: it may have failed. */
  let ended = false
  const { session, id, input, trace, parent } = request
  const withdraw = ports.buckets.await(
    session,
    bucket,
    (output) => {
      clearTimeout(timer)
      const give = () => settle(true, output)
      const sandbox = job?.sandbox
      if (over || sandbox === undefined) return give()
      kept = true
      const send = {
        id,
        session,
        function: task,
        task,
        input: input as Send['input'],
        trace,
        parent: parent ?? '',
        setup,
      }
      ports.hold(send, sandbox.id).then(give, (error: unknown) => settle(false, wireText(error)))
    },
    (error) => {
      ended = true
      if (error !== undefined) fail(error)
      else if (over) fail(noResultError(task, bucket))
    },
  )
  const fail = (error: unknown) => {
    clearTimeout(timer)
    settle(false, wireText(error))
  }
  const timer = setTimeout(() => {
    withdraw()
    fail(timeoutError(task, limitMs))
  }, limitMs)
  return {
    runs(started: Job) {
      job = started
    },
    /** The entry's own run has ended. */
    replied(ok: boolean, part: Part) {
      over = true
      if (kept) ports.settled(id, outcomeOf(ok, part))
      else if (!ok) {
        withdraw()
        clearTimeout(timer)
        settle(ok, part)
      } else if (ended) fail(noResultError(task, bucket))
    },
  }
}
