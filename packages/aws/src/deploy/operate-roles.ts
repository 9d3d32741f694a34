import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { ownerTag } from '../names.js'
import type { Context } from './context.js'
import { isThere, unlessGone } from './failure.js'
import type { RoleResource } from './resources.js'
import type { Operation } from './steps.js'

/** Changes of roles and their policies; undefined for other operations. */
export function roleOperation(op: Operation, context: Context): Promise<unknown> | undefined {
  const { iam } = context.clients
  switch (op.do) {
    case 'create-role':
      return create(op.role, context)
    case 'put-policy':
      return iam.send(
        new PutRolePolicyCommand({
          RoleName: op.role,
          PolicyName: op.policy.name,
          PolicyDocument: JSON.stringify(op.policy.document),
        }),
      )
    case 'delete-policy':
      return unlessGone(iam.send(new DeleteRolePolicyCommand({ RoleName: op.role, PolicyName: op.policy })))
    case 'delete-role':
      return unlessGone(iam.send(new DeleteRoleCommand({ RoleName: op.role })))
    default:
      return undefined
  }
}

async function create(role: RoleResource, { clients, settings }: Context): Promise<void> {
  try {
    await clients.iam.send(
      new CreateRoleCommand({
        RoleName: role.name,
        Description: `${settings.app}, by fusionize`,
        AssumeRolePolicyDocument: JSON.stringify(trustOf(role, settings.account)),
        Tags: [{ Key: ownerTag, Value: settings.prefix }],
      }),
    )
  } catch (error) {
    if (!isThere(error)) throw error
  }
}

/** Who may take the role: the service, and the scheduler only for this account ("Confused deputy prevention", EventBridge Scheduler User Guide). */
export function trustOf({ service }: RoleResource, account: string) {
  const Condition =
    service === 'scheduler.amazonaws.com' ? { StringEquals: { 'aws:SourceAccount': account } } : undefined
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole', ...(Condition && { Condition }) },
    ],
  }
}
