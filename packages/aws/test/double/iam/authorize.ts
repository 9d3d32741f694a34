import type { Service } from '../gateway/call.js'
import { type Context, isAllowed, type PolicyDocument } from './policy.js'

/** Operations whose permission has another name than they have. */
const actionNames: Record<string, string> = {
  'lambda:Invoke': 'lambda:InvokeFunction',
  's3:ListObjectsV2': 's3:ListBucket',
  's3:ListObjects': 's3:ListBucket',
  's3:HeadBucket': 's3:ListBucket',
  's3:HeadObject': 's3:GetObject',
  's3:CopyObject': 's3:PutObject',
  's3:DeleteObjects': 's3:DeleteObject',
  's3:CreateMultipartUpload': 's3:PutObject',
  's3:UploadPart': 's3:PutObject',
  's3:CompleteMultipartUpload': 's3:PutObject',
  's3:ListBuckets': 's3:ListAllMyBuckets',
  's3:PutBucketLifecycleConfiguration': 's3:PutLifecycleConfiguration',
  's3:GetBucketLifecycleConfiguration': 's3:GetLifecycleConfiguration',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
}

/**
 * The first action and resource that the policies do not allow; undefined where all are.
 * Not imitated: actions that need several permissions at once (s3:GetObject of copied objects), but for roles that are passed.
 */
export function mayCall(
  policies: readonly PolicyDocument[],
  service: Service,
  operation: string,
  resources: readonly string[],
  context: Context = {},
): { action: string; resource: string } | undefined {
  const full = `${service}:${operation}`
  // Everyone may ask who they are, whatever their policies say.
  if (full === 'sts:GetCallerIdentity') return undefined
  const action = actionNames[full] ?? full
  const resource = (resources.length === 0 ? ['*'] : resources).find(
    (arn) => !isAllowed(policies, action, arn, context),
  )
  return resource === undefined ? undefined : { action, resource }
}

/**
 * Whether a role may be handed to a service ("Grant a user permissions to pass a role to an AWS service", IAM User Guide); undefined where it may, or none is.
 */
export function mayPass(
  policies: readonly PolicyDocument[],
  passed: { arn: string; to: string } | undefined,
): { action: string; resource: string } | undefined {
  if (!passed || isAllowed(policies, 'iam:PassRole', passed.arn, { 'iam:PassedToService': [passed.to] }))
    return undefined
  return { action: 'iam:PassRole', resource: passed.arn }
}
