import type { App } from 'fusionize/setup'
import {
  bucketName,
  functionName,
  managerLogGroup,
  managerName,
  managerScheduleRoleName,
  sweepName,
  sweepRoleName,
  tableName,
} from '../names.js'
import { policyCharacters } from './limits.js'
import type {
  Code,
  FunctionResource,
  PolicyDocument,
  Resource,
  RoleResource,
  ScheduleResource,
  Statement,
} from './resources.js'
import { basePolicy, itemsOf } from './roles.js'
import { arnOf, managedDefaults, roleArn, type Settings, s3Arn } from './settings.js'

/** The manager among functions of the app; no task can be called so. */
export const managerKey = '_manager'

/** One core: it bundles. */
const MEMORY_MB = 1769
const TIMEOUT_S = 600
/** S for which an invocation of it may wait. */
const EVENT_AGE_S = 60

const functionActions = [
  ...['CreateFunction', 'DeleteFunction', 'GetFunction', 'GetFunctionConfiguration', 'ListTags', 'TagResource'],
  ...['UpdateFunctionCode', 'UpdateFunctionConfiguration', 'PublishVersion', 'ListVersionsByFunction'],
  ...['PutFunctionConcurrency', 'DeleteFunctionConcurrency'],
  ...['CreateAlias', 'UpdateAlias', 'DeleteAlias', 'GetAlias', 'ListAliases'],
  ...['PutFunctionEventInvokeConfig', 'DeleteFunctionEventInvokeConfig', 'ListFunctionEventInvokeConfigs'],
  ...['GetFunctionUrlConfig', 'GetPolicy'],
].map((action) => `lambda:${action}`)

/** What there is of a manager: its function, the roles that it and its schedule take, its log, its schedule. @param code of its zip */
export function managerResources(app: App, settings: Settings, code: Code): Resource[] {
  const { prefix, retentionDays } = settings
  const [name, scheduleRole] = [managerName(prefix), managerScheduleRoleName(prefix)]
  const everyMinutes = (settings.managed || undefined)?.everyMinutes ?? managedDefaults.everyMinutes
  const schedule: ScheduleResource = {
    ...{ kind: 'schedule', group: name, name, functionName: name, asks: 'for a lap', input: '{}' },
    expression: `rate(${everyMinutes} minute${everyMinutes === 1 ? '' : 's'})`,
    role: roleArn(settings, scheduleRole),
  }
  return [
    managerRole(app, settings),
    {
      ...{ kind: 'role', name: scheduleRole, service: 'scheduler.amazonaws.com' },
      policies: [
        {
          name: basePolicy,
          document: {
            Version: '2012-10-17',
            Statement: [
              {
                ...{ Sid: 'Start', Effect: 'Allow', Action: ['lambda:InvokeFunction'] },
                Resource: [arnOf(settings, 'lambda', `function:${name}`)],
              },
            ],
          },
        },
      ],
    },
    { kind: 'log-group', name: managerLogGroup(prefix), retentionDays },
    { kind: 'manager', function: managerFunction(settings, code) },
    // Who invokes it comes again; what fails or is too late is the next one's.
    { kind: 'async', functionName: name, qualifier: '$LATEST', retries: 0, maxAgeS: EVENT_AGE_S },
    { kind: 'schedule-group', name },
    schedule,
  ]
}

function managerFunction(settings: Settings, code: Code): FunctionResource {
  const name = managerName(settings.prefix)
  return {
    ...{ kind: 'function', name, function: managerKey, tasks: [], role: name },
    ...{ runtime: settings.runtime, architecture: settings.architecture },
    ...{ memoryMb: MEMORY_MB, timeoutS: TIMEOUT_S, handler: 'index.handler', environment: {}, code, concurrency: 1 },
  }
}

/**
 * It changes functions, their versions and aliases, and the schedules of their setups: of this app's tasks and of nothing else. It changes no role, so it can
 * give no permission to anybody; it passes the roles of the app's functions to Lambda, and the sweep's to the scheduler. Functions have their full names, for
 * another app's prefix may begin with this one's; where IAM has no room for all of them, the prefix.
 */
function managerRole(app: App, settings: Settings): RoleResource {
  const { prefix } = settings
  const named = documentOf(
    settings,
    Object.keys(app.tasks)
      .sort()
      .map((task) => functionName(prefix, task)),
  )
  const document = JSON.stringify(named).length <= policyCharacters ? named : documentOf(settings, [`${prefix}-*`])
  return {
    ...{ kind: 'role', name: managerName(prefix), service: 'lambda.amazonaws.com' },
    policies: [{ name: basePolicy, document }],
  }
}

/** @param functions names of the app's Lambda functions, which their roles and the ends of their log groups have too */
function documentOf(settings: Settings, functions: readonly string[]): PolicyDocument {
  const { account, prefix, region } = settings
  const bucket = bucketName(prefix, account, region)
  const table = arnOf(settings, 'dynamodb', `table/${tableName(prefix)}`)
  const passed = (service: string) => ({ StringEquals: { 'iam:PassedToService': [service] } })
  const allow = (Sid: string, Action: string[], Resource: string[]): Statement => ({
    ...{ Sid, Effect: 'Allow', Action, Resource },
  })
  return {
    Version: '2012-10-17',
    Statement: [
      allow(
        'Logs',
        ['logs:CreateLogStream', 'logs:PutLogEvents'],
        [arnOf(settings, 'logs', `log-group:${managerLogGroup(prefix)}:*`)],
      ),
      allow(
        'Records',
        ['logs:FilterLogEvents'],
        functions.map((name) => arnOf(settings, 'logs', `log-group:/aws/lambda/${name}:*`)),
      ),
      allow(
        'Functions',
        functionActions,
        functions.flatMap((name) => ['', ':*'].map((end) => arnOf(settings, 'lambda', `function:${name}${end}`))),
      ),
      {
        ...allow(
          'Roles',
          ['iam:PassRole'],
          functions.map((name) => roleArn(settings, name)),
        ),
        Condition: passed('lambda.amazonaws.com'),
      },
      allow(
        'Schedules',
        ['CreateSchedule', 'DeleteSchedule', 'GetSchedule', 'UpdateSchedule'].map((one) => `scheduler:${one}`),
        [arnOf(settings, 'scheduler', `schedule/${sweepName(prefix)}/*`)],
      ),
      {
        ...allow('SweepRole', ['iam:PassRole'], [roleArn(settings, sweepRoleName(prefix))]),
        Condition: passed('scheduler.amazonaws.com'),
      },
      { ...allow('State', ['dynamodb:GetItem', 'dynamodb:PutItem'], [table]), Condition: itemsOf('manager#*') },
      allow('Evidence', ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], [s3Arn(settings, `${bucket}/manager/*`)]),
      allow('Code', ['s3:GetObject', 's3:PutObject'], [s3Arn(settings, `${bucket}/code/*`)]),
    ],
  }
}
