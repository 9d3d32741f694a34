import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { IAMClient } from '@aws-sdk/client-iam'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { SchedulerClient } from '@aws-sdk/client-scheduler'
import { SQSClient } from '@aws-sdk/client-sqs'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { failing } from './failure.js'

/** The clients of the services that a deployment talks to. */
export interface Clients {
  lambda: LambdaClient
  iam: IAMClient
  s3: S3Client
  dynamodb: DynamoDBClient
  sqs: SQSClient
  logs: CloudWatchLogsClient
  scheduler: SchedulerClient
  sts: STSClient
}

/** What a client is made with beyond the defaults: a test's endpoints and credentials. */
export interface ClientOptions {
  /** One for all services. */
  endpoint?: string
  /** By name of the client; wins over `endpoint`. */
  endpoints?: Partial<Record<keyof Clients, string>>
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  /** @default 8 */
  maxAttempts?: number
}

/**
 * Clients with the credentials that the SDK finds (environment, shared files, single sign-on, role of the machine), which slow down where
 * AWS says that it has too many requests.
 */
export function createClients(region: string, options: ClientOptions = {}): Clients {
  const { credentials, endpoint, endpoints = {}, maxAttempts = 8 } = options
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = process.env
  const s3Endpoint = endpoints.s3 ?? endpoint ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL
  const configOf = (name: keyof Clients) => {
    const own = endpoints[name] ?? endpoint
    return {
      region,
      maxAttempts,
      retryMode: 'adaptive',
      ...(own !== undefined && { endpoint: own }),
      ...(credentials && { credentials }),
    }
  }
  return {
    lambda: new LambdaClient(configOf('lambda')),
    iam: new IAMClient(configOf('iam')),
    // an endpoint that is not AWS's has no host name for each bucket
    s3: new S3Client({ ...configOf('s3'), forcePathStyle: s3Endpoint !== undefined }),
    dynamodb: new DynamoDBClient(configOf('dynamodb')),
    sqs: new SQSClient(configOf('sqs')),
    logs: new CloudWatchLogsClient(configOf('logs')),
    scheduler: new SchedulerClient(configOf('scheduler')),
    sts: new STSClient(configOf('sts')),
  }
}

export function closeClients(clients: Clients): void {
  for (const client of Object.values(clients) as { destroy(): void }[]) client.destroy()
}

/** The region that is configured, else what the environment or the AWS profile say; undefined when nobody does. */
export async function regionOf(configured: string | undefined): Promise<string | undefined> {
  if (configured !== undefined) return configured
  const client = new STSClient({})
  try {
    return await client.config.region()
  } catch {
    return undefined
  } finally {
    client.destroy()
  }
}

/**
 * The account that the credentials belong to.
 * @throws {FusionizeError} `DEPLOY_FAILED` without credentials, or with ones that AWS does not take
 */
export async function accountOf({ sts }: Pick<Clients, 'sts'>): Promise<string> {
  const { Account } = await failing('the credentials', 'GetCallerIdentity', () =>
    sts.send(new GetCallerIdentityCommand({})),
  )
  return Account as string
}
