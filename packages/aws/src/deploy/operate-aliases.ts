import {
  AddPermissionCommand,
  type AddPermissionCommandInput,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetAliasCommand,
  PutFunctionEventInvokeConfigCommand,
  RemovePermissionCommand,
  UpdateAliasCommand,
  UpdateFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda'
import { FusionizeError } from 'fusionize'
import { liveAlias, setupAlias } from '../names.js'
import type { Context } from './context.js'
import { isThere, unlessGone } from './failure.js'
import type { AsyncResource, UrlResource } from './resources.js'
import type { Operation, UrlStatement } from './steps.js'
import { eventually } from './wait.js'

type AliasStep = Extract<Operation, { do: 'set-alias' }>

/** Changes of aliases and of what is reached by them; undefined for other operations. */
export function aliasOperation(op: Operation, context: Context): Promise<unknown> | undefined {
  const { lambda } = context.clients
  switch (op.do) {
    case 'set-alias':
      return setAlias(op, context)
    case 'describe-alias':
      return lambda.send(
        new UpdateAliasCommand({ FunctionName: op.function, Name: op.alias, Description: op.description }),
      )
    case 'delete-alias':
      return unlessGone(lambda.send(new DeleteAliasCommand({ FunctionName: op.function, Name: op.alias })))
    case 'set-async':
      return setAsync(op.async, context)
    case 'delete-async':
      return unlessGone(
        lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: op.function, Qualifier: op.qualifier })),
      )
    case 'set-url':
      return setUrl(op.url, op.exists, context)
    case 'delete-url':
      return unlessGone(
        lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: op.function, Qualifier: liveAlias })),
      )
    case 'allow-url':
      return allow(op.function, op.statement, context)
    case 'forbid-url':
      return unlessGone(
        lambda.send(
          new RemovePermissionCommand({ FunctionName: op.function, Qualifier: liveAlias, StatementId: op.statement }),
        ),
      )
    default:
      return undefined
  }
}

async function setAlias(op: AliasStep, context: Context): Promise<void> {
  const { lambda } = context.clients
  const version = op.version ?? context.versions.get(op.function) ?? (await versionOfSetup(op.function, context))
  context.versions.set(op.function, version)
  const wanted = {
    ...{ FunctionName: op.function, Name: op.alias, FunctionVersion: version, Description: op.description },
    // All to one version, whatever share another had.
    RoutingConfig: { AdditionalVersionWeights: {} },
  }
  if (!op.exists)
    try {
      const { RoutingConfig: _, ...fresh } = wanted
      await lambda.send(new CreateAliasCommand(fresh))
      return
    } catch (error) {
      if (!isThere(error)) throw error
    }
  await lambda.send(new UpdateAliasCommand(wanted))
}

/** The version that the alias of the setup points to. */
async function versionOfSetup(FunctionName: string, { clients, deployed }: Context): Promise<string> {
  const Name = setupAlias(deployed)
  const { FunctionVersion } = await clients.lambda.send(new GetAliasCommand({ FunctionName, Name }))
  if (FunctionVersion === undefined)
    throw new FusionizeError('DEPLOY_FAILED', `alias ${FunctionName}:${Name} points to nothing; deploy again`)
  return FunctionVersion
}

async function setAsync(
  { functionName, maxAgeS, onFailure, qualifier, retries }: AsyncResource,
  { clients, pace }: Context,
): Promise<void> {
  const command = new PutFunctionEventInvokeConfigCommand({
    FunctionName: functionName,
    Qualifier: qualifier,
    MaximumRetryAttempts: retries,
    MaximumEventAgeInSeconds: maxAgeS,
    ...(onFailure !== undefined && { DestinationConfig: { OnFailure: { Destination: onFailure } } }),
  })
  // Lambda looks whether the role may send to the queue, and hears of a new policy some seconds late.
  await eventually(pace, `the permission of function ${functionName} to send dead letters`, async () => {
    try {
      await clients.lambda.send(command)
      return true
    } catch (error) {
      const { message, name } = error as Error
      if (name === 'InvalidParameterValueException' && /role does not have permission/i.test(message)) return undefined
      throw error
    }
  })
}

async function setUrl({ auth, functionName, mode, qualifier }: UrlResource, exists: boolean, { clients }: Context) {
  const config = { FunctionName: functionName, Qualifier: qualifier, AuthType: auth, InvokeMode: mode }
  if (!exists)
    try {
      await clients.lambda.send(new CreateFunctionUrlConfigCommand(config))
      return
    } catch (error) {
      if (!isThere(error)) throw error
    }
  await clients.lambda.send(new UpdateFunctionUrlConfigCommand(config))
}

/** Lets everybody call by the URL, and by nothing else. */
async function allow(FunctionName: string, statement: UrlStatement, { clients }: Context): Promise<void> {
  const condition: Partial<AddPermissionCommandInput> =
    statement === 'fusionize-url' ? { FunctionUrlAuthType: 'NONE' } : { InvokedViaFunctionUrl: true }
  try {
    await clients.lambda.send(
      new AddPermissionCommand({
        FunctionName,
        Qualifier: liveAlias,
        StatementId: statement,
        Principal: '*',
        Action: statement === 'fusionize-url' ? 'lambda:InvokeFunctionUrl' : 'lambda:InvokeFunction',
        ...condition,
      }),
    )
  } catch (error) {
    if (!isThere(error)) throw error
  }
}
