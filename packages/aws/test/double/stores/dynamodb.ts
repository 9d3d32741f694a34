import { bodyOf, type Call, json, type Reply, type ServiceDouble } from '../gateway/call.js'
import { forward } from './forward.js'

interface Input {
  TableName?: string
  ResourceArn?: string
  IndexName?: string
  RequestItems?: Record<string, unknown>
  TimeToLiveSpecification?: { Enabled: boolean; AttributeName: string }
  Tags?: { Key: string; Value: string }[]
  Item?: Attributes
  Key?: Attributes
  KeyConditionExpression?: string
  ExpressionAttributeValues?: Attributes
}

type Attributes = Record<string, { S?: string }>

/**
 * DynamoDB by `dynalite`, with the setting of a time to live and tags given with a new table, which it lacks.
 * Not imitated: leading keys of a policy's condition but those of single items and queries by an attribute `pk`, the end of items whose time came, transactions, streams, backups, PartiQL, and what else dynalite lacks.
 */
export class DynamoDbDouble implements ServiceDouble {
  readonly #target: string
  readonly #arnPrefix: string
  readonly #timeToLive = new Map<string, NonNullable<Input['TimeToLiveSpecification']>>()

  constructor(target: string, region: string, account: string) {
    this.#target = target
    this.#arnPrefix = `arn:aws:dynamodb:${region}:${account}:table/`
  }

  operationOf({ headers }: Pick<Call, 'headers'>): string {
    return String(headers['x-amz-target'] ?? '').split('.')[1] ?? ''
  }

  resourcesOf(call: Call): string[] {
    const { TableName, ResourceArn, IndexName, RequestItems } = bodyOf<Input>(call)
    if (ResourceArn !== undefined) return [ResourceArn]
    if (RequestItems !== undefined) return Object.keys(RequestItems).map((name) => this.#arnPrefix + name)
    if (TableName === undefined) return []
    return [`${this.#arnPrefix}${TableName}${IndexName ? `/index/${IndexName}` : ''}`]
  }

  contextOf(call: Call): Record<string, readonly string[]> {
    const { Item, Key, KeyConditionExpression = '', ExpressionAttributeValues = {} } = bodyOf<Input>(call)
    const [, placeholder = ''] = /\bpk = (:\w+)/.exec(KeyConditionExpression) ?? []
    const key = (Item ?? Key)?.pk?.S ?? ExpressionAttributeValues[placeholder]?.S
    return key === undefined ? {} : { 'dynamodb:LeadingKeys': [key] }
  }

  async handle(call: Call): Promise<Reply> {
    if (call.operation === 'CreateTable') return this.#create(call)
    if (call.operation !== 'UpdateTimeToLive' && call.operation !== 'DescribeTimeToLive')
      return forward(call, this.#target)
    const { TableName = '', TimeToLiveSpecification } = bodyOf<Input>(call)
    const headers = { ...call.headers, 'x-amz-target': 'DynamoDB_20120810.DescribeTable' }
    const body = Buffer.from(JSON.stringify({ TableName }))
    const table = await forward({ ...call, headers, body }, this.#target)
    if (table.status !== 200) return table
    if (TimeToLiveSpecification) this.#timeToLive.set(TableName, TimeToLiveSpecification)
    if (call.operation === 'UpdateTimeToLive') return json(200, { TimeToLiveSpecification })
    const set = this.#timeToLive.get(TableName)
    return json(200, {
      TimeToLiveDescription: set?.Enabled
        ? { TimeToLiveStatus: 'ENABLED', AttributeName: set.AttributeName }
        : { TimeToLiveStatus: 'DISABLED' },
    })
  }

  /** Answers once the table can have tags, and has them. */
  async #create(call: Call): Promise<Reply> {
    const { TableName = '', Tags = [] } = bodyOf<Input>(call)
    const created = await forward(call, this.#target)
    if (created.status !== 200 || Tags.length === 0) return created
    const headers = { ...call.headers, 'x-amz-target': 'DynamoDB_20120810.TagResource' }
    const body = Buffer.from(JSON.stringify({ ResourceArn: this.#arnPrefix + TableName, Tags }))
    while ((await forward({ ...call, headers, body }, this.#target)).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 5))
    return created
  }
}
