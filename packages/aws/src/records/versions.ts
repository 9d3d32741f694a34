import { GetFunctionCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { unlessGone } from '../deploy/failure.js'
import { logGroup } from '../names.js'
import { ENVIRONMENT_VARIABLE, type Environment } from '../runtime/environment.js'
import type { Version } from './killed.js'

/** Tells what the version is to which a log stream belongs. */
export type Versions = (group: string, stream: string) => Promise<Version>

/** Asks Lambda, once for each version. */
export function versionsOf(lambda: LambdaClient, prefix: string): Versions {
  const known = new Map<string, Promise<Version>>()

  async function read(group: string, Qualifier: string): Promise<Version> {
    const FunctionName = group.slice(group.lastIndexOf('/') + 1)
    const found = await unlessGone(lambda.send(new GetFunctionCommand({ FunctionName, Qualifier })))
    const { setup = '' } = JSON.parse(
      found?.Configuration?.Environment?.Variables?.[ENVIRONMENT_VARIABLE] ?? '{}',
    ) as Partial<Environment>
    return { function: found?.Tags?.['fusionize:function'] ?? group.slice(logGroup(prefix, '').length), setup }
  }

  return (group, stream) => {
    // `2026/11/22/[12]0123456789abcdef`, the version in brackets.
    const version = /\[([^\]]+)\]/.exec(stream)?.[1] ?? '$LATEST'
    const key = `${group} ${version}`
    const asked = known.get(key) ?? read(group, version)
    known.set(key, asked)
    asked.catch(() => known.delete(key))
    return asked
  }
}
