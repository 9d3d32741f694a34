import { FusionizeError } from 'fusionize'
import { errorFromWire, errorToWire } from 'fusionize/runtime'
import type { Exit } from './host.js'
import type { Job } from './job.js'
import type { Pool } from './pool.js'
import type { Sandbox } from './sandbox.js'

/** The error as callers get it on the wire. */
export function wireText(error: unknown): string {
  return JSON.stringify(errorToWire(error))
}

/** What the callers of a sandbox that ended too early are told. */
export function exitError(sandbox: Sandbox, exit: Exit): FusionizeError {
  const { pool, endedFor, fatal } = sandbox
  const fn = pool.function
  const { memory } = pool.spec
  if (endedFor instanceof FusionizeError) return endedFor
  if (exit.outOfMemory)
    return new FusionizeError(
      'OUT_OF_MEMORY',
      `function '${fn}' used more than its ${memory} MB and was ended; give it more memory, or let its tasks hold less at a time`,
      { function: fn, memoryMb: memory },
    )
  if (fatal) {
    const cause = errorFromWire(JSON.parse(fatal.error))
    const what = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    const how =
      fatal.origin === 'unhandledRejection' ? 'a promise was rejected and nobody awaited it' : 'nothing caught an error'
    return new FusionizeError(
      'SANDBOX_CRASHED',
      `function '${fn}' crashed because ${how}: ${what}; await every promise and handle its error`,
      { function: fn, origin: fatal.origin },
      { cause },
    )
  }
  const how = exit.signal ? `was ended by ${exit.signal}` : `ended itself with exit code ${exit.code}`
  return new FusionizeError(
    'SANDBOX_CRASHED',
    `the sandbox of function '${fn}' ${how} while it was working; tasks must not end their process, see its log for more`,
    { function: fn, exitCode: exit.code, signal: exit.signal },
  )
}

/** What callers are told when a function does not even load. */
export function startError(sandbox: Sandbox, exit: Exit): FusionizeError {
  const { pool, stderr, fatal } = sandbox
  if (exit.outOfMemory) return exitError(sandbox, exit)
  const said = fatal
    ? String(errorFromWire(JSON.parse(fatal.error)))
    : stderr.find((line) => /^\s*(\w+: )?\w*Error\b/.test(line))
  const why = said ?? stderr.findLast((line) => line.trim() !== '') ?? `exit code ${exit.code ?? exit.signal}`
  return new FusionizeError(
    'SANDBOX_CRASHED',
    `function '${pool.function}' cannot start: ${why.trim()}; its module must load without an error (see the log)`,
    { function: pool.function, start: true },
  )
}

export function queueFull(pool: Pool, limit: number): FusionizeError {
  const lanes = Math.max(1, pool.sandboxes.size * pool.concurrency)
  const retryAfterMs = Math.round(Math.min(30_000, Math.max(100, (pool.meanMs * pool.waitingCallers) / lanes)))
  return new FusionizeError(
    'QUEUE_FULL',
    `${limit} invocations of function '${pool.function}' wait already; come back later, or raise queueLimit or maxSandboxes`,
    { function: pool.function, retryAfterMs },
  )
}

export function tooDeep(job: Job, sandboxes: number): FusionizeError {
  return new FusionizeError(
    'QUEUE_FULL',
    `task '${job.request.task}' cannot start: all ${sandboxes} sandboxes wait for calls of their own; make calls less deep, route them inline, or raise maxSandboxes`,
    { function: job.pool.function, retryAfterMs: 1000 },
  )
}

export function unknownTask(task: string, setup: string): FusionizeError {
  return new FusionizeError(
    'UNKNOWN_TASK',
    `setup ${setup} has no function for task '${task}'; build and deploy it with this task`,
    { task, setup },
  )
}

export function shuttingDown(): FusionizeError {
  return new FusionizeError('SHUTTING_DOWN', 'the platform is shutting down; send the request again when it is back')
}
