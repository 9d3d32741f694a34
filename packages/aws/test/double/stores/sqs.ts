import { bodyOf, type Call, type Reply, type ServiceDouble } from '../gateway/call.js'
import { forward } from './forward.js'
import type { Queues } from './queues.js'

/** SQS by `fauxqs`, whose queue URLs are made ours. Not imitated: what fauxqs lacks, policies of queues. */
export class SqsDouble implements ServiceDouble {
  readonly #target: string
  readonly #queues: Queues
  readonly #arnPrefix: string
  /** The gateway's own address. */
  endpoint = ''

  constructor(target: string, queues: Queues, region: string, account: string) {
    this.#target = target
    this.#queues = queues
    this.#arnPrefix = `arn:aws:sqs:${region}:${account}:`
  }

  operationOf({ headers }: Pick<Call, 'headers'>): string {
    return String(headers['x-amz-target'] ?? '').split('.')[1] ?? ''
  }

  resourcesOf(call: Call): string[] {
    const { QueueUrl, QueueName } = bodyOf<{ QueueUrl?: string; QueueName?: string }>(call)
    const name = QueueName ?? QueueUrl?.split('/').at(-1)
    return name === undefined ? [] : [this.#arnPrefix + name]
  }

  async handle(call: Call): Promise<Reply> {
    const reply = await forward(await this.#inner(call), this.#target)
    if (!['CreateQueue', 'GetQueueUrl', 'ListQueues'].includes(call.operation)) return reply
    const body = String(reply.body).replaceAll(/http:\/\/[^"/]+\//g, `${this.endpoint}/`)
    return { ...reply, body }
  }

  /** The call with the queue's URL as the server knows it. */
  async #inner(call: Call): Promise<Call> {
    const input = bodyOf<{ QueueUrl?: string }>(call)
    const QueueUrl = input.QueueUrl && (await this.#queues.urlOf(input.QueueUrl.split('/').at(-1) ?? ''))
    return QueueUrl ? { ...call, body: Buffer.from(JSON.stringify({ ...input, QueueUrl })) } : call
  }
}
