import { type LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda'
import { ENVIRONMENT_VARIABLE, type Environment } from './runtime/environment.js'

/** What is deployed of an app, whoever deployed it. */
export interface Deployed {
  /** Its functions by the app's names, with Lambda's; those that are asked from outside first. */
  functions: ReadonlyMap<string, string>
  /** Names of its buckets. */
  buckets: readonly string[]
  /** Runs after a failed first one, by task; of those that say how many. */
  retries: ReadonlyMap<string, number>
}

/** Reads it from the environments that the last deployment gave to the app's functions, and of those that only earlier setups have. */
export async function readDeployed(lambda: LambdaClient, prefix: string): Promise<Deployed> {
  const found: { environment: Environment; name: string }[] = []
  for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {}))
    for (const { Environment: variables, FunctionName = '' } of Functions) {
      const environment = environmentOf(variables?.Variables?.[ENVIRONMENT_VARIABLE])
      // What was deployed before functions said who they are is told by the next deployment.
      if (environment?.prefix === prefix && environment.function !== undefined)
        found.push({ environment, name: FunctionName })
    }
  found.sort((a, b) => Number(b.environment.http !== undefined) - Number(a.environment.http !== undefined))
  return {
    functions: new Map(found.map(({ environment, name }) => [environment.function, name])),
    buckets: [...new Set(found.flatMap(({ environment }) => environment.buckets ?? []))].sort(),
    retries: new Map(found.flatMap(({ environment }) => Object.entries(environment.retries ?? {}))),
  }
}

/** Somebody else's function may have a variable of the same name. */
function environmentOf(text: string | undefined): Environment | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Environment)
  } catch {
    return undefined
  }
}
