import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../clock.js'
import { isAllowed } from '../iam/policy.js'
import type { Principals } from '../iam/principals.js'
import type { RoleStore } from '../iam/roles.js'
import type { LogStore } from '../logs/store.js'
import { runtimeClient } from '../runtime/client.js'
import { functionNode } from '../runtime/node.js'
import type { CodeStore } from '../sandbox/code.js'
import type { EnvironmentSpec } from '../sandbox/environment.js'
import type { Configuration } from './model.js'

export interface SpecParts {
  region: string
  endpoint: string
  folder: string
  initLimitMs: number
  clock: Clock
  code: CodeStore
  roles: RoleStore
  principals: Principals
  logs: LogStore
}

/**
 * All that an execution environment of a configuration needs: files, variables, credentials of its role, a place for its log.
 * Not imitated: the SDK that Lambda's runtimes bring along (so that a zip which leans on it fails here), its NODE_OPTIONS, X-Ray, a
 * `/tmp` of its own (TMPDIR is one), the end of credentials after some hours.
 */
export async function environmentSpec(configuration: Configuration, parts: SpecParts): Promise<EnvironmentSpec> {
  const { FunctionName, Version, Handler = '', MemorySize = 128, Timeout = 3, Role = '' } = configuration
  const taskRoot = parts.code.folder(configuration.CodeSha256)
  const temporary = join(parts.folder, 'tmp', randomUUID())
  mkdirSync(temporary, { recursive: true })
  const group = configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${FunctionName}`
  const day = parts.clock.date().toISOString().slice(0, 10).replaceAll('-', '/')
  const stream = `${day}/[${Version}]${randomUUID().replaceAll('-', '')}`
  const role = parts.roles.byArn(Role)?.name ?? ''
  const credentials = parts.principals.ofRole(role, FunctionName)
  return {
    functionName: FunctionName,
    version: Version,
    handler: Handler,
    memoryMb: MemorySize,
    timeoutMs: Timeout * 1000,
    initLimitMs: parts.initLimitMs,
    log: logOf(parts, role, group, stream),
    process: {
      command: (await functionNode()).command,
      args: [await runtimeClient()],
      folder: taskRoot,
      env: {
        PATH: process.env.PATH ?? '',
        LANG: 'en_US.UTF-8',
        TZ: ':UTC',
        TMPDIR: temporary,
        ...configuration.Environment?.Variables,
        _HANDLER: Handler,
        LAMBDA_TASK_ROOT: taskRoot,
        LAMBDA_RUNTIME_DIR: '/var/runtime',
        AWS_EXECUTION_ENV: `AWS_Lambda_${configuration.Runtime}`,
        AWS_REGION: parts.region,
        AWS_DEFAULT_REGION: parts.region,
        AWS_LAMBDA_FUNCTION_NAME: FunctionName,
        AWS_LAMBDA_FUNCTION_VERSION: Version,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MemorySize),
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_LAMBDA_LOG_GROUP_NAME: group,
        AWS_LAMBDA_LOG_STREAM_NAME: stream,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken ?? '',
        ...endpointVariables(parts.endpoint),
      },
    },
  }
}

/** What AWS' SDKs read to find a service somewhere else. */
export function endpointVariables(endpoint: string): Record<string, string> {
  const names = ['LAMBDA', 'IAM', 'CLOUDWATCH_LOGS', 'SCHEDULER', 'STS', 'S3', 'SQS', 'DYNAMODB']
  return Object.fromEntries([
    ['AWS_ENDPOINT_URL', endpoint],
    ...names.map((name) => [`AWS_ENDPOINT_URL_${name}`, endpoint]),
  ])
}

/** A function logs with the permissions of its role; without them its lines are lost. */
function logOf({ roles, logs }: SpecParts, role: string, group: string, stream: string): (message: string) => void {
  const may = (action: string, arn: string) => isAllowed(roles.policiesOf(role), action, arn)
  const streamArn = `${logs.arnOf(group)}:log-stream:${stream}`
  const mayWrite = () => may('logs:CreateLogStream', streamArn) && may('logs:PutLogEvents', streamArn)
  return (message) => {
    if (!logs.groups.has(group) && may('logs:CreateLogGroup', `${logs.arnOf(group)}:*`)) logs.create(group)
    if (mayWrite()) logs.write(group, stream, message)
  }
}
