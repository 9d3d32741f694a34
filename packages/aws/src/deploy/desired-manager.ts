import type { App } from 'fusionize/setup'
import {
  bucketName,
  functionName,
  logGroup,
  managerLogGroup,
  managerName,
  managerScheduleRoleName,
  sweepName,
  sweepRoleName,
  tableName,
} from '../names.js'
import type { Code, FunctionResource, Resource, RoleResource, ScheduleResource } from './resources.js'
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
  ...['CreateFunction', 'DeleteFunction', 'GetFunction', 'GetFunctionConfiguration', 'TagResource'],
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
 * It changes functions, their versions and aliases, and the schedules of their setups, by names: of this app's tasks and of nothing else. It changes no role, so it can
 * give no permission to anybody; it passes the roles of the app's functions to Lambda, and the sweep's to the scheduler.
 */
function managerRole(app: App, settings: Settings): RoleResource {
  const { account, prefix, region } = settings
  const tasks = Object.keys(app.tasks).sort()
  const functions = tasks.map((fn) => arnOf(settings, 'lambda', `function:${functionName(prefix, fn)}`))
  const bucket = bucketName(prefix, account, region)
  const passed = (service: string) => ({ StringEquals: { 'iam:PassedToService': [service] } })
  const allow = (Sid: string, Action: string[], Resource: string[]) => ({
    Sid,
    Effect: 'Allow' as const,
    Action,
    Resource,
  })
  return {
    ...{ kind: 'role', name: managerName(prefix), service: 'lambda.amazonaws.com' },
    policies: [
      {
        name: basePolicy,
        document: {
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
              tasks.map((fn) => arnOf(settings, 'logs', `log-group:${logGroup(prefix, fn)}:*`)),
            ),
            allow(
              'Functions',
              functionActions,
              functions.flatMap((arn) => [arn, `${arn}:*`]),
            ),
            {
              ...allow(
                'Roles',
                ['iam:PassRole'],
                tasks.map((fn) => roleArn(settings, functionName(prefix, fn))),
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
            {
              ...allow(
                'State',
                ['dynamodb:GetItem', 'dynamodb:PutItem'],
                [arnOf(settings, 'dynamodb', `table/${tableName(prefix)}`)],
              ),
              Condition: itemsOf('manager#*'),
            },
            allow(
              'Evidence',
              ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
              [s3Arn(settings, `${bucket}/manager/*`)],
            ),
            allow('Code', ['s3:GetObject', 's3:PutObject'], [s3Arn(settings, `${bucket}/code/*`)]),
          ],
        },
      },
    ],
  }
}
