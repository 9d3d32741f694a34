import { randomUUID } from 'node:crypto'
import type {
  AliasConfiguration,
  FunctionConfiguration,
  FunctionEventInvokeConfig,
  FunctionUrlConfig,
} from '@aws-sdk/client-lambda'
import { AwsError } from '../gateway/error.js'

/** What runs: a configuration with its code's hash in it. */
export type Configuration = FunctionConfiguration & {
  FunctionName: string
  FunctionArn: string
  Version: string
  CodeSha256: string
  RevisionId: string
}

export type Alias = AliasConfiguration & { Name: string; FunctionVersion: string; RevisionId: string; AliasArn: string }

export interface PolicyStatement {
  Sid: string
  Effect: 'Allow'
  Principal: unknown
  Action: string
  Resource: string
  Condition?: unknown
}

export interface LambdaFunction {
  name: string
  /** Without a qualifier. */
  arn: string
  latest: Configuration
  /** What an invocation of $LATEST gets: the configuration before an update until the update is done. */
  serving: Configuration
  versions: Map<string, Configuration>
  lastVersion: number
  aliases: Map<string, Alias>
  tags: Map<string, string>
  /** Statements of resource-based policies by qualifier, `''` for the function itself. */
  policies: Map<string, PolicyStatement[]>
  /** By qualifier, `$LATEST` for the function itself. */
  eventInvoke: Map<string, FunctionEventInvokeConfig>
  urls: Map<string, FunctionUrlConfig>
  reservedConcurrency?: number
}

/** The functions that exist. */
export type Functions = Map<string, LambdaFunction>

export function revision(): string {
  return randomUUID()
}

export function notFound(arn: string): AwsError {
  return new AwsError('ResourceNotFoundException', 404, `Function not found: ${arn}`)
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', 400, message)
}

export function conflict(message: string): AwsError {
  return new AwsError('ResourceConflictException', 409, message)
}

/** @throws AwsError where the caller's revision is not the present one. */
export function checkRevision(given: string | undefined, present: string, get: string): void {
  if (given !== undefined && given !== present)
    throw new AwsError(
      'PreconditionFailedException',
      412,
      `The Revision Id provided does not match the latest Revision Id. Call the ${get} API to retrieve the latest Revision Id`,
    )
}
