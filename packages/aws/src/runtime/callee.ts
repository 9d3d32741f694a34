import { FusionizeError } from 'fusionize'
import { setupAlias } from './aliases.js'
import type { Environment } from './environment.js'
import type { Callee } from './lambda.js'

/**
 * The Lambda function, at the deployment that the session began with: the caller's own.
 * @throws {FusionizeError} `UNKNOWN_TASK` when the deployer did not expect a call of it from here
 */
export function calleeOf({ deployed, functions, setup }: Environment, fn: string): Callee {
  const name = functions[fn]
  if (name === undefined)
    throw new FusionizeError(
      'UNKNOWN_TASK',
      `there is no function '${fn}' in setup ${setup}; build the app with this task, and run 'fusionize deploy' again`,
      { function: fn, setup },
    )
  return { name, qualifier: setupAlias(deployed), function: fn }
}

/** ARN of the Lambda function that a function of the app is, told from that of another. */
export function functionArn({ functions, prefix }: Environment, other: string, fn: string): string {
  return other.replace(/:function:[^:]+/, `:function:${functions[fn] ?? `${prefix}-${fn}`}`)
}
