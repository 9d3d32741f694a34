import type { AccountLimit, AccountUsage, FunctionEventInvokeConfig } from '@aws-sdk/client-lambda'
import type { Clock } from '../clock.js'
import { AwsError } from '../gateway/error.js'
import { isAllowed } from '../iam/policy.js'
import type { RoleStore } from '../iam/roles.js'
import { invalid, type LambdaFunction, notFound } from './model.js'
import type { Places } from './places.js'
import { type Pool, unreserved } from './pool.js'

/** Concurrency that functions without a reservation must keep between them. */
export const LEAST_UNRESERVED = 100

export interface SettingsParts {
  places: Places
  pool: Pool
  roles: RoleStore
  clock: Clock
}

type EventInvokeInput = Pick<
  FunctionEventInvokeConfig,
  'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds' | 'DestinationConfig'
>

/** What can be set beside a function's code and configuration: concurrency, asynchronous invocation, tags; and the account's limits. */
export class FunctionSettings {
  readonly #parts: SettingsParts

  constructor(parts: SettingsParts) {
    this.#parts = parts
  }

  account(): { AccountLimit: AccountLimit; AccountUsage: AccountUsage } {
    const { places, pool } = this.#parts
    const { accountConcurrency } = pool.options
    const all = [...places.functions.values()]
    const sizes = all.flatMap((fn) => [fn.latest, ...fn.versions.values()].map(({ CodeSize = 0 }) => CodeSize))
    return {
      AccountLimit: {
        TotalCodeSize: 80_530_636_800,
        CodeSizeUnzipped: 262_144_000,
        CodeSizeZipped: 52_428_800,
        ConcurrentExecutions: accountConcurrency,
        UnreservedConcurrentExecutions: unreserved(accountConcurrency, places.functions),
      },
      AccountUsage: { TotalCodeSize: sizes.reduce((sum, size) => sum + size, 0), FunctionCount: all.length },
    }
  }

  reserve(fn: LambdaFunction, wanted: number): { ReservedConcurrentExecutions: number } {
    const { places, pool } = this.#parts
    const left = unreserved(pool.options.accountConcurrency, places.functions) + (fn.reservedConcurrency ?? 0) - wanted
    if (left < LEAST_UNRESERVED && wanted > 0)
      throw invalid(
        `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${LEAST_UNRESERVED}].`,
      )
    fn.reservedConcurrency = wanted
    return { ReservedConcurrentExecutions: wanted }
  }

  /** Sets how asynchronous invocations by a qualifier go; `keep` = what the request leaves out stays. */
  setEventInvoke(
    fn: LambdaFunction,
    qualifier: string | undefined,
    input: EventInvokeInput,
    keep: boolean,
  ): FunctionEventInvokeConfig {
    const { places, clock } = this.#parts
    const key = qualifier ?? '$LATEST'
    places.configuration(fn, qualifier)
    const before = keep ? this.eventInvoke(fn, qualifier) : {}
    const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = { ...before, ...given(input) }
    checkRange('maximumRetryAttempts', MaximumRetryAttempts, 0, 2)
    checkRange('maximumEventAgeInSeconds', MaximumEventAgeInSeconds, 60, 21_600)
    this.#checkDestination(fn, DestinationConfig?.OnFailure?.Destination)
    const config = {
      FunctionArn: places.arnOf(fn.name, key),
      // Seconds, as times are in this protocol.
      LastModified: (clock.now() / 1000) as unknown as Date,
      MaximumRetryAttempts,
      MaximumEventAgeInSeconds,
      DestinationConfig: DestinationConfig ?? { OnSuccess: {}, OnFailure: {} },
    }
    fn.eventInvoke.set(key, config)
    return config
  }

  eventInvoke(fn: LambdaFunction, qualifier: string | undefined): FunctionEventInvokeConfig {
    const config = fn.eventInvoke.get(qualifier ?? '$LATEST')
    if (config) return config
    throw new AwsError(
      'ResourceNotFoundException',
      404,
      `The function ${this.#parts.places.arnOf(fn.name, qualifier ?? '$LATEST')} doesn't have an EventInvokeConfig`,
    )
  }

  /** Tags are of the function only, by its ARN without a qualifier. */
  tags(arn: string): Map<string, string> {
    const { places } = this.#parts
    const { name, qualifier } = places.parse(arn)
    if (qualifier !== undefined)
      throw invalid('Tags on function aliases and versions are not supported. Please specify a function ARN.')
    const fn = places.functions.get(name)
    if (!fn) throw notFound(arn)
    return fn.tags
  }

  /** The function's role must be allowed to send there. */
  #checkDestination(fn: LambdaFunction, destination: string | undefined): void {
    if (destination === undefined) return
    if (!destination.startsWith('arn:aws:sqs:')) throw invalid(`The double delivers to SQS only, not to ${destination}`)
    const role = this.#parts.roles.byArn(fn.latest.Role ?? '')
    if (!isAllowed(this.#parts.roles.policiesOf(role?.name ?? ''), 'sqs:SendMessage', destination))
      throw invalid("The function's execution role does not have permissions to call SendMessage on SQS")
  }
}

function given<T extends object>(input: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>
}

function checkRange(member: string, value: number | undefined, least: number, most: number): void {
  if (value !== undefined && !(value >= least && value <= most))
    throw new AwsError(
      'ValidationException',
      400,
      `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must have value between ${least} and ${most}`,
    )
}
