/** What a service asks for, USD, as data: replace it where another region or year counts. */
export interface ServicePrices {
  name: string
  /** ISO date of the price list. */
  date: string
  source: string
  /** Per GB (1e9 bytes) of logs taken in; what keeping them costs is 3 cents a GB and month beside it. */
  logsPerGb: number
  logsKeptPerGbMonth: number
  /** DynamoDB on demand, per request unit: a write of up to 1 kB, a strongly consistent read of up to 4 kB. */
  tableWrite: number
  tableRead: number
  /** S3 Standard, per request. */
  s3Put: number
  s3Get: number
  /** SQS standard queue, per request of up to 64 kB. */
  queueRequest: number
  /** EventBridge Scheduler, per invocation. */
  schedule: number
}

/** The services beside Lambda in us-east-1; free tiers are left out. */
export const servicePrices: ServicePrices = {
  name: 'CloudWatch Logs, DynamoDB, S3, SQS, EventBridge Scheduler',
  date: '2026-01-01',
  source:
    'aws.amazon.com/cloudwatch/pricing, /dynamodb/pricing/on-demand, /s3/pricing, /sqs/pricing, /eventbridge/pricing (us-east-1)',
  logsPerGb: 0.5,
  logsKeptPerGbMonth: 0.03,
  tableWrite: 0.625e-6,
  tableRead: 0.125e-6,
  s3Put: 5e-6,
  s3Get: 0.4e-6,
  queueRequest: 0.4e-6,
  schedule: 1e-6,
}
