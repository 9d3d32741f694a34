import type { App } from 'fusionize/setup'
import { bucketName, deadLetterQueue, functionName, logGroup, setupAlias, tableName, timeQueue } from '../names.js'
import { documentOf, type Grant, grantsOf } from './grants.js'
import type { Needs } from './needs.js'
import { permissionStatement } from './permissions.js'
import type { RoleResource, Statement } from './resources.js'
import { arnOf, type Settings, s3Arn } from './settings.js'

/** Policy with what a function needs in every setup. */
export const basePolicy = 'base'
/** Policy with what it needs in the setups that are kept: of all of them together, since versions of a function share a role. */
export const setupsPolicy = 'setups'

/** What Lambda does with a queue in a function's name. */
const takeMessages = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']

/** Aliases of any setup: a function calls by that of its own, and the permission outlasts it. */
const ofAnySetup = setupAlias('*')

/** What a function is in a deployment. */
export interface Part {
  /** It keeps in the table what replies leave behind. */
  holdsWork: boolean
  /** The queue of times comes to it. */
  takesTimes: boolean
}

/** The role of a function: what it always needs, and what it needs in this setup, or in any. */
export function functionRole(app: App, settings: Settings, fn: string, needs: Needs, part: Part): RoleResource {
  const ofSetup = [...setupStatements(settings, fn, needs, part), ...declaredStatements(app, settings, needs.tasks)]
  return {
    kind: 'role',
    name: functionName(settings.prefix, fn),
    service: 'lambda.amazonaws.com',
    policies: [
      { name: basePolicy, document: { Version: '2012-10-17', Statement: baseStatements(settings, fn) } },
      ...(ofSetup.length > 0
        ? [{ name: setupsPolicy, document: documentOf(grantsOf({ Version: '2012-10-17', Statement: ofSetup })) }]
        : []),
    ],
  }
}

/** What the role has for the setups that it is desired for. */
export function grantsOfSetup({ policies }: RoleResource): Grant[] {
  return policies.flatMap(({ document, name }) => (name === setupsPolicy ? grantsOf(document) : []))
}

function baseStatements(settings: Settings, fn: string): Statement[] {
  const { account, prefix, region } = settings
  return [
    // Reads it to know of attempts that ended without a word.
    {
      Sid: 'Logs',
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:FilterLogEvents', 'logs:PutLogEvents'],
      Resource: [arnOf(settings, 'logs', `log-group:${logGroup(prefix, fn)}:*`)],
    },
    {
      Sid: 'Payloads',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject'],
      Resource: [s3Arn(settings, `${bucketName(prefix, account, region)}/payloads/*`)],
    },
    // How often an asynchronous invocation has failed, which Lambda tells nobody.
    {
      Sid: 'Attempts',
      Effect: 'Allow',
      Action: ['dynamodb:GetItem', 'dynamodb:PutItem'],
      Resource: [arnOf(settings, 'dynamodb', `table/${tableName(prefix)}`)],
      Condition: itemsOf('attempts#*'),
    },
    {
      Sid: 'DeadLetters',
      Effect: 'Allow',
      Action: ['sqs:SendMessage'],
      Resource: [arnOf(settings, 'sqs', deadLetterQueue(prefix))],
    },
  ]
}

function setupStatements(settings: Settings, fn: string, needs: Needs, { holdsWork, takesTimes }: Part): Statement[] {
  const { account, prefix, region } = settings
  const statements: Statement[] = []
  if (needs.callees.length > 0)
    statements.push({
      Sid: 'Calls',
      Effect: 'Allow',
      Action: ['lambda:InvokeFunction'],
      Resource: needs.callees.map((callee) =>
        arnOf(settings, 'lambda', `function:${functionName(prefix, callee)}:${ofAnySetup}`),
      ),
    })
  if (holdsWork)
    statements.push({
      Sid: 'Held',
      Effect: 'Allow',
      Action: ['DeleteItem', 'PutItem', 'Query'].map((action) => `dynamodb:${action}`),
      Resource: [arnOf(settings, 'dynamodb', `table/${tableName(prefix)}`)],
      Condition: itemsOf(`hold#${fn}`),
    })
  if (needs.usesBuckets)
    statements.push({
      Sid: 'State',
      Effect: 'Allow',
      Action: ['DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map((action) => `dynamodb:${action}`),
      Resource: [arnOf(settings, 'dynamodb', `table/${tableName(prefix)}`)],
      Condition: itemsOf('bucket#*', 'session#*', 'watch#*'),
    })
  if (needs.usesBuckets)
    statements.push({
      Sid: 'Times',
      Effect: 'Allow',
      Action: ['sqs:SendMessage'],
      Resource: [arnOf(settings, 'sqs', timeQueue(prefix))],
    })
  if (takesTimes)
    statements.push({
      Sid: 'TakeTimes',
      Effect: 'Allow',
      Action: takeMessages,
      Resource: [arnOf(settings, 'sqs', timeQueue(prefix))],
    })
  if (needs.usesBuckets)
    statements.push({
      Sid: 'Objects',
      Effect: 'Allow',
      Action: ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
      Resource: [s3Arn(settings, `${bucketName(prefix, account, region)}/objects/*`)],
    })
  return statements
}

/** Items of the table by their partition key ("Using IAM policy conditions for fine-grained access control", Amazon DynamoDB Developer Guide). */
export function itemsOf(...keys: string[]): NonNullable<Statement['Condition']> {
  return { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } }
}

/** What the tasks of a function declare, each statement once. */
function declaredStatements(app: App, settings: Settings, tasks: readonly string[]): Statement[] {
  const statements = tasks.flatMap((task) =>
    (app.tasks[task]?.permissions ?? []).map((text) => permissionStatement(task, text, settings)),
  )
  return [...new Map(statements.map((one) => [JSON.stringify(one), one])).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, one]) => one)
}

/** The role by which the scheduler asks functions to look for work that a dead environment left behind. */
export function sweepRole(settings: Settings, name: string, functions: readonly string[]): RoleResource {
  const Resource = functions.map((fn) => arnOf(settings, 'lambda', `function:${fn}:${ofAnySetup}`)).sort()
  return {
    kind: 'role',
    name,
    service: 'scheduler.amazonaws.com',
    policies: [
      {
        name: setupsPolicy,
        document: {
          Version: '2012-10-17',
          Statement: [{ Sid: 'Sweep', Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource }],
        },
      },
    ],
  }
}

/** Whether a resource of the role of sweeps is what a schedule asks. @param target ARN of an alias */
export function sweeps(target: string): (resource: string) => boolean {
  const [, name] = /:function:([^:]+):[^:]+$/.exec(target) ?? []
  return (resource) => resource.endsWith(`:function:${name}:${ofAnySetup}`)
}
