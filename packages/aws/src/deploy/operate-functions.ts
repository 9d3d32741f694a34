import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { FusionizeError } from 'fusionize'
import { bucketName, ownerTag } from '../names.js'
import type { Context } from './context.js'
import { isThere, unlessGone } from './failure.js'
import { lambdaLimits } from './limits.js'
import { isSameRecord } from './observed.js'
import type { FunctionResource } from './resources.js'
import { roleArn } from './settings.js'
import type { Operation } from './steps.js'
import { eventually } from './wait.js'

/** Changes of a function's code, configuration and versions; undefined for other operations. */
export function functionOperation(op: Operation, context: Context): Promise<unknown> | undefined {
  switch (op.do) {
    case 'create-function':
      return create(op.function, context)
    case 'upload-code':
      return upload(op.function, context)
    case 'configure-function':
      return configure(op.function, context)
    case 'publish-version':
      return publish(op.function, context)
    case 'set-concurrency':
      return setConcurrency(op.function, op.concurrency, context)
    case 'delete-version':
      return unlessGone(
        context.clients.lambda.send(new DeleteFunctionCommand({ FunctionName: op.function, Qualifier: op.version })),
      )
    case 'delete-function':
      return unlessGone(context.clients.lambda.send(new DeleteFunctionCommand({ FunctionName: op.function })))
    default:
      return undefined
  }
}

async function create(one: FunctionResource, context: Context): Promise<void> {
  const { clients, settings } = context
  const Code = await codeOf(one, context)
  const command = new CreateFunctionCommand({
    FunctionName: one.name,
    Description: `Function '${one.function}' of ${settings.app}, by fusionize`,
    Code,
    Role: roleArn(settings, one.role),
    Runtime: one.runtime,
    Handler: one.handler,
    Architectures: [one.architecture],
    MemorySize: one.memoryMb,
    Timeout: one.timeoutS,
    Environment: { Variables: one.environment },
    PackageType: 'Zip',
    Tags: { [ownerTag]: settings.prefix, 'fusionize:function': one.function },
  })
  await untilRoleIsKnown(one, context, async () => {
    try {
      await clients.lambda.send(command)
    } catch (error) {
      // An attempt before got through, though its answer did not.
      if (!isThere(error)) throw error
    }
  })
  await untilUpdated(one.name, context)
}

async function upload(one: FunctionResource, context: Context): Promise<void> {
  const { clients } = context
  await untilUpdated(one.name, context)
  const Code = await codeOf(one, context)
  await clients.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName: one.name, Architectures: [one.architecture], ...Code }),
  )
  await untilUpdated(one.name, context)
}

async function configure(one: FunctionResource, context: Context): Promise<void> {
  const { clients, settings } = context
  await untilUpdated(one.name, context)
  const command = new UpdateFunctionConfigurationCommand({
    FunctionName: one.name,
    Role: roleArn(settings, one.role),
    Runtime: one.runtime,
    Handler: one.handler,
    MemorySize: one.memoryMb,
    Timeout: one.timeoutS,
    Environment: { Variables: one.environment },
  })
  await untilRoleIsKnown(one, context, () => clients.lambda.send(command))
  await untilUpdated(one.name, context)
}

/** Publishes what is there now, and only if it is what this run put there. */
async function publish(one: FunctionResource, context: Context): Promise<void> {
  const { clients, deployed, versions } = context
  const published = await clients.lambda.send(
    new PublishVersionCommand({
      FunctionName: one.name,
      CodeSha256: one.code.sha256,
      Description: `setup ${deployed}`,
    }),
  )
  if (!isSameRecord(published.Environment?.Variables ?? {}, one.environment))
    throw new FusionizeError(
      'DEPLOY_FAILED',
      `function ${one.name} was changed by somebody else while it was deployed; wait until they are done and run the same command again`,
      { resource: one.name },
    )
  const version = published.Version as string
  await eventually(context.pace, `version ${version} of function ${one.name}`, () =>
    isReady(one.name, version, context),
  )
  versions.set(one.name, version)
}

async function setConcurrency(FunctionName: string, concurrency: number | undefined, { clients }: Context) {
  if (concurrency === undefined)
    return unlessGone(clients.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName })))
  return clients.lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: concurrency }),
  )
}

/** The zip as Lambda takes it: in the request, or through the app's bucket when it is too large for that. */
async function codeOf({ code, function: fn, name }: FunctionResource, { clients, code: zips, settings }: Context) {
  const zip = zips[fn]?.zip
  if (!zip)
    throw new FusionizeError('DEPLOY_FAILED', `the code of function '${fn}' was not built; run 'fusionize build'`)
  if (zip.byteLength <= lambdaLimits.directZipBytes) return { ZipFile: zip }
  const Bucket = bucketName(settings.prefix, settings.account, settings.region)
  const Key = `code/${name}-${Buffer.from(code.sha256, 'base64').toString('hex')}.zip`
  await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: zip }))
  return { S3Bucket: Bucket, S3Key: Key }
}

/** A role that was just made is not known everywhere: Lambda refuses it for some seconds. */
async function untilRoleIsKnown(
  { name }: FunctionResource,
  { pace }: Context,
  run: () => Promise<unknown>,
): Promise<void> {
  await eventually(pace, `the role of function ${name}`, async () => {
    try {
      await run()
      return true
    } catch (error) {
      const { message = '', name: code } = error as Error
      if (code === 'InvalidParameterValueException' && /role.*(assume|cannot be)/i.test(message)) return undefined
      throw error
    }
  })
}

async function untilUpdated(name: string, context: Context): Promise<void> {
  await eventually(context.pace, `the update of function ${name}`, () => isReady(name, undefined, context))
}

async function isReady(
  FunctionName: string,
  Qualifier: string | undefined,
  { clients }: Context,
): Promise<FunctionConfiguration | undefined> {
  const found = await clients.lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName, ...(Qualifier !== undefined && { Qualifier }) }),
  )
  const { LastUpdateStatus, LastUpdateStatusReason, State, StateReason } = found
  if (State === 'Failed' || LastUpdateStatus === 'Failed')
    throw new FusionizeError(
      'DEPLOY_FAILED',
      `function ${FunctionName}: Lambda could not take the change: ${(State === 'Failed' ? StateReason : LastUpdateStatusReason) ?? 'it does not say why'}; correct that and run the same command again`,
      { resource: FunctionName },
    )
  const isDone =
    (State === undefined || State === 'Active' || State === 'Inactive') && LastUpdateStatus !== 'InProgress'
  return isDone ? found : undefined
}
