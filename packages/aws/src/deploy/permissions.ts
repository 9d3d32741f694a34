import { FusionizeError } from 'fusionize'
import type { Statement } from './resources.js'
import { partitionOf, type Settings } from './settings.js'

const actionShape = /^[a-z0-9-]+:[A-Za-z0-9*?]+$/
/** arn:partition:service:region:account:resource; the resource may have any sign. */
const arnShape = /^arn:[^:]*:[a-z0-9-]+:[^:]*:[^:]*:(.+)$/

/**
 * What a task declares in `permissions`, as a statement: `"s3:GetObject,s3:PutObject arn:aws:s3:::my-bucket/*"`. In ARNs `{partition}`,
 * `{region}` and `{account}` stand for those of the deployment.
 * @throws {FusionizeError} `INVALID_CONFIG` when it is no such text, or its resource is everything
 */
export function permissionStatement(task: string, text: string, settings: Settings): Statement {
  const wrong = (what: string) =>
    new FusionizeError(
      'INVALID_CONFIG',
      `task '${task}' declares the permission '${text}', ${what}; write actions, a space and the resources they are for, as in 's3:GetObject arn:aws:s3:::my-bucket/*'`,
      { task, permission: text },
    )
  const [actionList = '', ...rest] = text.trim().split(/\s+/)
  const actions = actionList.split(',').filter(Boolean)
  const resources = rest.flatMap((part) => part.split(',')).filter(Boolean)
  if (actions.length === 0) throw wrong('which is empty')
  const action = actions.find((one) => !actionShape.test(one))
  if (action !== undefined) throw wrong(`but '${action}' is no action of a service, such as s3:GetObject`)
  if (resources.length === 0) throw wrong('which names no resource')
  const resolved = resources.map((resource) =>
    resource
      .replaceAll('{account}', settings.account)
      .replaceAll('{region}', settings.region)
      .replaceAll('{partition}', partitionOf(settings.region)),
  )
  for (const resource of resolved) {
    const [, named] = arnShape.exec(resource) ?? []
    if (named !== undefined && !isEverything(named)) continue
    if (named !== undefined || isEverything(resource)) throw wrong(`but '${resource}' is every resource there is`)
    throw wrong(`but '${resource}' is no ARN`)
  }
  return { Effect: 'Allow', Action: [...new Set(actions)].sort(), Resource: [...new Set(resolved)].sort() }
}

function isEverything(resource: string): boolean {
  return /^[*?:/]+$/.test(resource)
}
