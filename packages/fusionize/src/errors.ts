/** Stable codes of the errors that fusionize itself raises. */
export type ErrorCode =
  | 'SANDBOX_CRASHED'
  | 'OUT_OF_MEMORY'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'QUEUE_FULL'
  | 'UNKNOWN_TASK'
  | 'INVALID_INPUT'
  | 'NOT_SERIALIZABLE'
  | 'PAYLOAD_TOO_LARGE'
  | 'INVALID_SETUP'
  | 'INVALID_CONFIG'
  | 'UNSUPPORTED'
  | 'JOURNAL_FAILED'
  | 'BUILD_FAILED'
  | 'DEPLOY_FAILED'
  | 'SHUTTING_DOWN'
  | 'KEY_CONFLICT'
  | 'SESSION_CLOSED'
  | 'GROUP_CLOSED'
  | 'JOIN_CONFLICT'
  | 'NO_RESULT'
  | 'UNKNOWN_BUCKET'

/** An error of fusionize: says what happened, to which task or setup, and what to do; `code` is stable. */
export class FusionizeError extends Error {
  override readonly name = 'FusionizeError'
  constructor(
    readonly code: ErrorCode,
    message: string,
    /** More for programs, JSON only: the issues of an invalid input, `retryAfterMs` of a full queue… */
    readonly details?: Record<string, unknown>,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The error of a task that took longer than its limit; the same words on every route. */
export function timeoutError(task: string, timeoutMs: number): FusionizeError {
  return new FusionizeError(
    'TIMEOUT',
    `task '${task}' did not finish within ${timeoutMs} ms; raise its timeout option or make it faster`,
    { task, timeoutMs },
  )
}

/** The session of an entry ended without the object that it answers with. */
export function noResultError(task: string, bucket: string): FusionizeError {
  return new FusionizeError(
    'NO_RESULT',
    `task '${task}' answers with the first object in bucket '${bucket}', but its session ended without one; put one on every path`,
    { task, bucket },
  )
}
