import { FusionizeError } from 'fusionize'

/** What errors of the SDK carry. */
interface ServiceFailure {
  name: string
  message: string
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number }
}

const again = 'run the same command again: it goes on where it stopped'

/** What to do, by what AWS says is wrong; the first that fits. */
const remedies: { fits: RegExp; remedy: string }[] = [
  {
    fits: /^(ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired)$/,
    remedy: `your AWS credentials have expired; sign in again (such as with 'aws sso login') and ${again}`,
  },
  {
    fits: /^(CredentialsProviderError|UnrecognizedClientException|InvalidClientTokenId|InvalidAccessKeyId|AuthFailure|SignatureDoesNotMatch|InvalidSignatureException|MissingAuthenticationToken)/,
    remedy:
      "there are no AWS credentials that AWS accepts; sign in (such as with 'aws sso login') or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  },
  {
    fits: /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|NotAuthorized)/,
    remedy:
      'your AWS credentials may not do this; allow it, or use others (docs/platforms/aws.md lists the permissions that a deployment needs)',
  },
  {
    fits: /^(TooManyRequestsException|Throttling|ThrottlingException|ThrottledException|RequestLimitExceeded|SlowDown|RequestThrottled)/,
    remedy: `AWS had too many requests and still had after every attempt; wait a minute and ${again}`,
  },
  {
    fits: /^(CodeStorageExceededException)$/,
    remedy: `the account's storage for code is full; delete versions that nobody needs, or ask AWS for a higher quota, and ${again}`,
  },
  {
    fits: /^(LimitExceeded|LimitExceededException|ServiceQuotaExceededException)$/,
    remedy: `a quota of the account is used up; delete what is not needed, or ask AWS for a higher quota, and ${again}`,
  },
  {
    fits: /^(ResourceNotFoundException|NoSuchEntity|NoSuchEntityException|NoSuchBucket|QueueDoesNotExist)$/,
    remedy: `it was deleted in the meantime; ${again}, which makes it anew`,
  },
  {
    fits: /^(ResourceConflictException|PreconditionFailedException|ConcurrentModification|ConflictException|OperationAborted|ResourceInUseException)/,
    remedy: `somebody else is changing it; wait until they are done and ${again}`,
  },
]

/**
 * The error of an operation on a resource: says which, what happened and what to do. What is known as ours already stays as it is.
 */
export function deployFailure(resource: string, operation: string, cause: unknown): FusionizeError {
  if (cause instanceof FusionizeError) return cause
  const { name, message, $metadata: { httpStatusCode: status, requestId } = {} } = asFailure(cause)
  const text = /MemorySize/.test(message)
    ? "new accounts get less memory than Lambda's 10240 MB; choose less, or ask AWS for a higher quota"
    : remedies.find(({ fits }) => fits.test(name))?.remedy
  const remedy =
    text ??
    ((status ?? 0) >= 500
      ? `AWS had an error of its own (status ${status}); ${again}`
      : isNetwork(cause)
        ? `AWS could not be reached; check the network and the region, and ${again}`
        : again)
  return new FusionizeError(
    'DEPLOY_FAILED',
    `${resource}: ${operation} failed: ${message} (${name}); ${remedy}`,
    {
      resource,
      operation,
      error: name,
      ...(status !== undefined && { status }),
      ...(requestId !== undefined && { requestId }),
    },
    { cause },
  )
}

/** Runs something with AWS; its failure is told as one of a deployment. @throws {FusionizeError} `DEPLOY_FAILED` */
export async function failing<T>(resource: string, operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw deployFailure(resource, operation, error)
  }
}

/** The result, or undefined when what was asked for is not there. */
export async function unlessGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

export function isGone(error: unknown): boolean {
  const { name, $metadata } = asFailure(error)
  return (
    $metadata?.httpStatusCode === 404 ||
    /^(ResourceNotFoundException|NoSuchEntity|NoSuchEntityException|NoSuchBucket|NotFound|QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue)$/.test(
      name,
    )
  )
}

/** Whether something that is to be made is there already. */
export function isThere(error: unknown): boolean {
  return /^(ResourceConflictException|EntityAlreadyExists|EntityAlreadyExistsException|ResourceAlreadyExistsException|BucketAlreadyOwnedByYou|ResourceInUseException|QueueNameExists|ConflictException)$/.test(
    asFailure(error).name,
  )
}

function asFailure(error: unknown): ServiceFailure {
  const { name = 'Error', message = String(error), $metadata } = (error ?? {}) as Partial<ServiceFailure>
  return { name, message, ...($metadata && { $metadata }) }
}

function isNetwork(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: string }
  return code !== undefined && /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ECONNRESET|ETIMEDOUT|EPIPE)$/.test(code)
}
