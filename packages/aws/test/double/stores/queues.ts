import { forward } from './forward.js'

export interface Message {
  MessageId: string
  ReceiptHandle: string
  Body: string
  MD5OfBody: string
  Attributes?: Record<string, string>
  MessageAttributes?: Record<string, unknown>
}

/** Queues as Lambda itself uses them: for destinations and event source mappings, past the gateway. */
export class Queues {
  readonly #target: string
  readonly #region: string
  readonly #urls = new Map<string, string>()

  constructor(target: string, region: string) {
    this.#target = target
    this.#region = region
  }

  /** @throws where there is no such queue. */
  async send(arn: string, body: string): Promise<void> {
    await this.#ask(arn, 'SendMessage', { MessageBody: body })
  }

  /** At most ten messages; none for as long as `waitSeconds` is an empty list. */
  async receive(arn: string, count: number, waitSeconds: number): Promise<Message[]> {
    const answer = await this.#ask(arn, 'ReceiveMessage', {
      MaxNumberOfMessages: Math.min(count, 10),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      AttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    })
    return (answer.Messages as Message[] | undefined) ?? []
  }

  async delete(arn: string, receipts: readonly string[]): Promise<void> {
    for (const ReceiptHandle of receipts) await this.#ask(arn, 'DeleteMessage', { ReceiptHandle })
  }

  async visibilitySeconds(arn: string): Promise<number> {
    const { Attributes } = await this.#ask(arn, 'GetQueueAttributes', { AttributeNames: ['VisibilityTimeout'] })
    return Number((Attributes as Record<string, string>).VisibilityTimeout)
  }

  /** URL by which the server itself knows the queue; undefined where there is none. */
  async urlOf(name: string): Promise<string | undefined> {
    const known = this.#urls.get(name)
    if (known !== undefined) return known
    try {
      const { QueueUrl } = await this.#send('GetQueueUrl', { QueueName: name })
      this.#urls.set(name, String(QueueUrl))
      return String(QueueUrl)
    } catch {
      return undefined
    }
  }

  async #ask(arn: string, operation: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.#send(operation, { QueueUrl: (await this.urlOf(arn.split(':').at(-1) ?? '')) ?? arn, ...input })
  }

  async #send(operation: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    const scope = `Credential=LAMBDA/20200101/${this.#region}/sqs/aws4_request`
    const reply = await forward(
      {
        method: 'POST',
        url: '/',
        headers: {
          host: '127.0.0.1',
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `AmazonSQS.${operation}`,
          authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=00`,
        },
        body: Buffer.from(JSON.stringify(input)),
      },
      this.#target,
    )
    const answer = JSON.parse(String(reply.body) || '{}') as Record<string, unknown>
    if (reply.status !== 200) throw new Error(`${operation}: ${String(answer.message ?? reply.body)}`)
    return answer
  }
}
