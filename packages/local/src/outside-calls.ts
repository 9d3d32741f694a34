import type { Payload } from 'fusionize/runtime'
import { awaitEntry, type EntryPorts } from './buckets/awaited-entry.js'
import type { Deployment } from './engine/deployment.js'
import type { Engine } from './engine/engine.js'
import { wireText } from './engine/failures.js'
import type { Job } from './engine/job.js'
import { textOf } from './engine/parts.js'
import { newId, traceOf } from './ids.js'
import type { Part } from './sandbox/messages.js'
import { mapError } from './source-maps.js'

/** What a client may say about its call; see `InvokeOptions` of the platform port. */
export interface CallOptions {
  session?: string | undefined
  timeoutMs?: number | undefined
  traceparent?: string | undefined
}

/** The output, or the error as JSON of a `WireError`. */
export type Answered = (ok: boolean, part: Part, session: string) => void

/** Begins the call of a task from outside; `answered` is called once. @returns what `Engine.abandon` takes */
export type BeginCall = (task: string, input: Payload, options: CallOptions, answered: Answered) => Job | undefined

/**
 * Calls from outside, whichever way they come in.
 * @param deploymentFor throws when there is none for the task
 * @param waitMs how long a caller waits for its run to begin
 * @param entries for entries that a bucket answers for
 */
export function outsideCalls(
  engine: Engine,
  deploymentFor: (task: string, session: string) => Deployment,
  waitMs: number,
  entries: EntryPorts,
): BeginCall {
  return (task, input, { session = newId(), timeoutMs, traceparent }, answered) => {
    let deployment: Deployment
    try {
      deployment = deploymentFor(task, session)
    } catch (error) {
      answered(false, wireText(error), session)
      return undefined
    }
    const limitMs = engine.timeoutOf(deployment, task)
    const { trace, parent } = traceOf(traceparent)
    const request = {
      id: newId(),
      session,
      task,
      mode: 'call' as const,
      external: true,
      attempt: 1,
      deadline: Date.now() + (timeoutMs ?? waitMs + limitMs),
      limitMs,
      trace,
      parent,
      input,
    }
    const answer = (ok: boolean, part: Part) =>
      answered(ok, ok ? part : JSON.stringify(mapError(JSON.parse(textOf(part)))), session)
    if (deployment.build.buckets && !deployment.roots.has(session)) deployment.roots.set(session, { task, input })
    const bucket = deployment.task(task)?.result
    if (bucket === undefined) return engine.submit(deployment, task, request, false, answer)
    const about = { task, bucket, setup: deployment.id, limitMs: timeoutMs ?? waitMs + limitMs }
    const entry = awaitEntry(entries, about, request, answer)
    const job = engine.submit(deployment, task, request, false, entry.replied)
    if (job) entry.runs(job)
    return job
  }
}
