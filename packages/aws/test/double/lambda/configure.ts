import type { CreateFunctionRequest, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda'
import { AwsError } from '../gateway/error.js'
import { type Configuration, invalid } from './model.js'

/** What a request says of a function's configuration. */
export type Wanted = Partial<Omit<CreateFunctionRequest, 'Code'>> & Partial<UpdateFunctionConfigurationRequest>

/** Largest environment variables together, bytes. */
const LARGEST_ENVIRONMENT = 4096
const runtimes = ['nodejs20.x', 'nodejs22.x', 'nodejs24.x']
const reserved =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_GROUP_NAME|LOG_STREAM_NAME|RUNTIME_API)|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/

/**
 * A configuration with what a request wants in it.
 * Not imitated: layers, VPCs, file systems, images, SnapStart, KMS keys, durable functions and capacity providers: wanting one is an error.
 *
 * @throws AwsError where a value is out of Lambda's bounds.
 */
export function configured(before: Configuration, wanted: Wanted): Configuration {
  checkBounds(wanted)
  const has = <K extends keyof Wanted>(key: K) => wanted[key] !== undefined
  return {
    ...before,
    ...(has('Role') ? { Role: wanted.Role } : {}),
    ...(has('Handler') ? { Handler: wanted.Handler } : {}),
    ...(has('Runtime') ? { Runtime: wanted.Runtime } : {}),
    ...(has('Description') ? { Description: wanted.Description } : {}),
    ...(has('Timeout') ? { Timeout: wanted.Timeout } : {}),
    ...(has('MemorySize') ? { MemorySize: wanted.MemorySize } : {}),
    ...(has('EphemeralStorage') ? { EphemeralStorage: wanted.EphemeralStorage } : {}),
    ...(has('TracingConfig') ? { TracingConfig: wanted.TracingConfig } : {}),
    ...(has('LoggingConfig') ? { LoggingConfig: { ...before.LoggingConfig, ...wanted.LoggingConfig } } : {}),
    ...(has('DeadLetterConfig') ? { DeadLetterConfig: wanted.DeadLetterConfig } : {}),
    ...(has('Environment') ? environment(wanted) : {}),
  }
}

function environment(wanted: Wanted): Pick<Configuration, 'Environment'> {
  const variables = wanted.Environment?.Variables ?? {}
  return Object.keys(variables).length === 0 ? { Environment: undefined } : { Environment: { Variables: variables } }
}

function checkBounds(wanted: Wanted): void {
  const { FunctionName, Timeout, MemorySize, Runtime, Handler, Environment } = wanted
  const name = FunctionName?.split(':').at(-1) ?? 'x'
  if (!/^[a-zA-Z0-9-_]{1,64}$/.test(name))
    throw constraint(
      name,
      'functionName',
      'Member must satisfy regular expression pattern [a-zA-Z0-9-_]+ and have length less than or equal to 64',
    )
  if (Timeout !== undefined && !(Number.isInteger(Timeout) && Timeout >= 1 && Timeout <= 900))
    throw constraint(Timeout, 'timeout', 'Member must have value between 1 and 900')
  if (MemorySize !== undefined && !(Number.isInteger(MemorySize) && MemorySize >= 128 && MemorySize <= 10_240))
    throw constraint(MemorySize, 'memorySize', 'Member must have value between 128 and 10240')
  if (Runtime !== undefined && !runtimes.includes(Runtime)) throw invalid(`The double runs ${runtimes}, not ${Runtime}`)
  if (Handler !== undefined && !/^[^\s]{1,128}$/.test(Handler))
    throw constraint(Handler, 'handler', 'Member must have length less than or equal to 128')
  for (const kind of ['Layers', 'FileSystemConfigs', 'ImageConfig', 'VpcConfig', 'SnapStart', 'KMSKeyArn'] as const)
    if (wanted[kind] !== undefined) throw invalid(`The double does not imitate ${kind}`)
  checkVariables(Environment?.Variables ?? {})
}

function checkVariables(variables: Record<string, string>): void {
  const keys = Object.keys(variables)
  const forbidden = keys.filter((key) => reserved.test(key))
  if (forbidden.length > 0)
    throw invalid(
      'Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved ' +
        `keys that are currently not supported for modification. Reserved keys used in this request: ${forbidden.join(', ')}`,
    )
  const odd = keys.find((key) => !/^[a-zA-Z]\w+$/.test(key))
  if (odd !== undefined)
    throw constraint(
      odd,
      'environment.variables',
      'Member must satisfy regular expression pattern [a-zA-Z]([a-zA-Z0-9_])+',
    )
  const bytes = Buffer.byteLength(JSON.stringify(variables))
  if (bytes > LARGEST_ENVIRONMENT)
    throw invalid(
      'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB ' +
        `limit. String measured: ${JSON.stringify(variables)}`,
    )
}

function constraint(value: unknown, member: string, rule: string): AwsError {
  return new AwsError(
    'ValidationException',
    400,
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${rule}`,
  )
}
