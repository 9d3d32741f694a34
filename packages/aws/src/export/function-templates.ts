import { trustOf } from '../deploy/operate-roles.js'
import {
  type AsyncResource,
  type Desired,
  type FunctionResource,
  ofKind,
  type ScheduleResource,
  type UrlResource,
} from '../deploy/resources.js'
import { liveAlias, logGroup } from '../names.js'
import { logicalId } from './logical-id.js'
import { sweepRoleId, type Tags, timesId } from './shared-templates.js'
import type { Template } from './template.js'

/** What there is of each function: role, log group, version, aliases, retries, address, schedule. */
export function functionTemplates(desired: Desired, keys: Record<string, string>, Tags: Tags): Template['Resources'] {
  const resources: Template['Resources'] = {}
  for (const one of ofKind(desired, 'function')) {
    Object.assign(
      resources,
      codeTemplates(desired, one, keys[one.function] as string, Tags),
      aliasTemplates(desired, one),
    )
    for (const url of ofKind(desired, 'url').filter(({ functionName }) => functionName === one.name))
      Object.assign(resources, urlTemplates(one.function, url))
    for (const { qualifier } of ofKind(desired, 'mapping').filter(({ functionName }) => functionName === one.name))
      resources[logicalId('TimesOf', one.function)] = mappingTemplate(one.function, qualifier)
    for (const schedule of ofKind(desired, 'schedule').filter(({ functionName }) => functionName === one.name))
      resources[logicalId('Sweep', one.function)] = scheduleTemplate(schedule, one.function)
  }
  return resources
}

function codeTemplates(desired: Desired, one: FunctionResource, key: string, Tags: Tags): Template['Resources'] {
  const fn = one.function
  const { prefix } = desired.settings
  const roles = ofKind(desired, 'role').filter(({ name }) => name === one.role)
  return {
    ...Object.fromEntries(
      roles.map((role) => [
        logicalId('Role', fn),
        {
          Type: 'AWS::IAM::Role',
          Properties: {
            RoleName: role.name,
            AssumeRolePolicyDocument: trustOf(role, desired.settings.account),
            Policies: role.policies.map(({ document, name }) => ({ PolicyName: name, PolicyDocument: document })),
            Tags,
          },
        },
      ]),
    ),
    [logicalId('Logs', fn)]: {
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: logGroup(prefix, fn), RetentionInDays: desired.settings.retentionDays, Tags },
    },
    [logicalId('Function', fn)]: {
      Type: 'AWS::Lambda::Function',
      DependsOn: [logicalId('Logs', fn)],
      Properties: {
        FunctionName: one.name,
        Description: `Function '${fn}' of ${desired.settings.app}, by fusionize`,
        Code: { S3Bucket: { Ref: 'CodeBucket' }, S3Key: { 'Fn::Join': ['', [{ Ref: 'CodePrefix' }, key]] } },
        Role: { 'Fn::GetAtt': [logicalId('Role', fn), 'Arn'] },
        Runtime: one.runtime,
        Handler: one.handler,
        Architectures: [one.architecture],
        MemorySize: one.memoryMb,
        Timeout: one.timeoutS,
        Environment: { Variables: one.environment },
        ...(one.concurrency !== undefined && { ReservedConcurrentExecutions: one.concurrency }),
        Tags: [...Tags, { Key: 'fusionize:function', Value: fn }],
      },
    },
  }
}

/** A version is made anew with every deployed setup; the function takes it along when it is deleted, so it may stay for its sessions. */
function aliasTemplates(desired: Desired, { function: fn, name }: FunctionResource): Template['Resources'] {
  const version = logicalId(`Version${desired.deployed.replace('-', '')}`, fn)
  const aliases = ofKind(desired, 'alias').filter(({ functionName }) => functionName === name)
  const asyncs = ofKind(desired, 'async').filter(({ functionName }) => functionName === name)
  const idOf = (alias: string) =>
    alias === liveAlias ? logicalId('Live', fn) : logicalId(`Setup${desired.deployed.replace('-', '')}`, fn)
  const FunctionName = { Ref: logicalId('Function', fn) }
  return {
    [version]: {
      Type: 'AWS::Lambda::Version',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { FunctionName, Description: `setup ${desired.deployed}` },
    },
    ...Object.fromEntries(
      aliases.map((alias) => [
        idOf(alias.name),
        {
          Type: 'AWS::Lambda::Alias',
          Properties: { FunctionName, FunctionVersion: { 'Fn::GetAtt': [version, 'Version'] }, Name: alias.name },
        },
      ]),
    ),
    ...Object.fromEntries(
      asyncs.map((async) => [
        `${idOf(async.qualifier)}Events`,
        { ...asyncTemplate(async, FunctionName), DependsOn: [idOf(async.qualifier), 'DeadLetters'] },
      ]),
    ),
  }
}

function asyncTemplate({ maxAgeS, onFailure, qualifier, retries }: AsyncResource, FunctionName: unknown) {
  return {
    Type: 'AWS::Lambda::EventInvokeConfig',
    Properties: {
      FunctionName,
      Qualifier: qualifier,
      MaximumRetryAttempts: retries,
      MaximumEventAgeInSeconds: maxAgeS,
      DestinationConfig: { OnFailure: { Destination: onFailure } },
    },
  }
}

function urlTemplates(fn: string, { auth: AuthType, mode: InvokeMode }: UrlResource): Template['Resources'] {
  const live = logicalId('Live', fn)
  const permission = (Action: string, condition: object) => ({
    Type: 'AWS::Lambda::Permission',
    Properties: { FunctionName: { Ref: live }, Principal: '*', Action, ...condition },
  })
  return {
    [logicalId('Url', fn)]: {
      Type: 'AWS::Lambda::Url',
      DependsOn: [live],
      Properties: { TargetFunctionArn: { Ref: logicalId('Function', fn) }, Qualifier: liveAlias, AuthType, InvokeMode },
    },
    ...(AuthType === 'NONE' && {
      [logicalId('UrlForAll', fn)]: permission('lambda:InvokeFunctionUrl', { FunctionUrlAuthType: 'NONE' }),
      [logicalId('UrlInvokeForAll', fn)]: permission('lambda:InvokeFunction', { InvokedViaFunctionUrl: true }),
    }),
  }
}

function mappingTemplate(fn: string, qualifier: string) {
  return {
    Type: 'AWS::Lambda::EventSourceMapping',
    DependsOn: [logicalId('Live', fn)],
    Properties: {
      FunctionName: { 'Fn::Join': [':', [{ 'Fn::GetAtt': [logicalId('Function', fn), 'Arn'] }, qualifier]] },
      EventSourceArn: { 'Fn::GetAtt': [timesId, 'Arn'] },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    },
  }
}

function scheduleTemplate({ expression, group, input, name, qualifier }: ScheduleResource, fn: string) {
  const target = { 'Fn::Join': [':', [{ 'Fn::GetAtt': [logicalId('Function', fn), 'Arn'] }, qualifier]] }
  return {
    Type: 'AWS::Scheduler::Schedule',
    DependsOn: ['SweepGroup', sweepRoleId],
    Properties: {
      GroupName: group,
      Name: name,
      ScheduleExpression: expression,
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 1 },
      Target: {
        Arn: target,
        RoleArn: { 'Fn::GetAtt': [sweepRoleId, 'Arn'] },
        Input: input,
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    },
  }
}
