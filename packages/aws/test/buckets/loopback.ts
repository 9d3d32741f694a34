import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import dynalite from 'dynalite'
import type { LambdaHandler } from '../../src/runtime/context.js'
import type { Envelope } from '../../src/runtime/envelope.js'
import type { Environment } from '../../src/runtime/environment.js'
import { service } from '../../src/runtime/service.js'

const TABLE = 'app'

/**
 * Adapters in this process, with a table that speaks DynamoDB's protocol. Lambda, S3 and SQS are a few lines each: events are run once and
 * tried again twice at once, objects are in memory, messages come when they are due. Not imitated: everything else of them.
 */
export class Loopback {
  /** What asynchronous invocations were handed over, by function. */
  readonly events: { function: string; envelope: Envelope }[] = []
  readonly failed: string[] = []
  /** Bodies of dead letters. */
  readonly letters: string[] = []
  readonly objects = new Map<string, Buffer>()
  readonly #servers: Server[] = []
  readonly #sandboxes = new Map<string, LambdaHandler[]>()
  readonly #under = new Set<Promise<unknown>>()
  #turn = 0

  /**
   * @param functions their names
   * @param open makes a sandbox of a function; each has several, which take turns
   */
  static async start(
    functions: readonly string[],
    sandboxes: number,
    open: (fn: string, environment: Environment) => LambdaHandler | Promise<LambdaHandler>,
  ): Promise<Loopback> {
    const all = new Loopback()
    const tables = dynalite({ createTableMs: 0 })
    const [dynamodb, rest] = await Promise.all([
      all.#listen(tables),
      all.#listen(
        createServer(async (request, response) => {
          const body = await bodyOf(request)
          const { status, text } = await all.#answer(request, body)
          response.writeHead(status, { 'content-type': 'application/json' }).end(text)
        }),
      ),
    ])
    Object.assign(process.env, {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
      AWS_ENDPOINT_URL: rest,
    })
    await createTable()
    const names = Object.fromEntries(functions.map((fn) => [fn, fn]))
    for (const fn of functions) {
      const environment: Environment = {
        ...{
          function: fn,
          setup: 'S',
          deployed: 'S',
          prefix: 'app',
          memory: 1769,
          timeoutMs: 10_000,
          functions: names,
        },
        ...{ bucket: 'objects', table: TABLE, deadLetters: `${rest}/dead`, times: `${rest}/times` },
        ...{ afterReply: 'before-reply', sampleCpuEvery: 0 },
      }
      const handlers: LambdaHandler[] = []
      for (let i = 0; i < sandboxes; i++) handlers.push(await open(fn, environment))
      all.#sandboxes.set(fn, handlers)
    }
    return all
  }

  /** Invokes a function and waits. */
  invoke(fn: string, event: unknown): Promise<unknown> {
    const handlers = this.#sandboxes.get(fn) ?? []
    const handler = handlers[this.#turn++ % handlers.length] as LambdaHandler
    return handler(event, {
      awsRequestId: `request-${this.#turn}`,
      invokedFunctionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${fn}`,
      getRemainingTimeInMillis: () => 15_000,
    })
  }

  /** Everything that was handed over is over. */
  async quiet(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under)
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  async #listen(server: Server): Promise<string> {
    this.#servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async #answer({ method, url = '', headers }: IncomingMessage, body: Buffer): Promise<Answered> {
    const [, fn] = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(url) ?? []
    if (fn !== undefined) {
      const envelope = JSON.parse(body.toString()) as Envelope
      if (headers['x-amz-invocation-type'] !== 'Event')
        return { status: 200, text: JSON.stringify(await this.invoke(fn, envelope)) }
      this.#track(this.#event(fn, envelope))
      return { status: 202 }
    }
    if (String(headers['x-amz-target']).startsWith('AmazonSQS')) {
      const {
        QueueUrl,
        MessageBody,
        DelaySeconds = 0,
      } = JSON.parse(body.toString()) as {
        QueueUrl: string
        MessageBody: string
        DelaySeconds?: number
      }
      if (QueueUrl.endsWith('/dead')) this.letters.push(MessageBody)
      else this.#track(this.#later(MessageBody, DelaySeconds * 1000))
      return { status: 200, text: '{}' }
    }
    if (method === 'PUT') this.objects.set(url, body)
    if (method === 'DELETE') this.objects.delete(url)
    const found = this.objects.get(url)
    return method === 'GET' && !found ? { status: 404, text: '' } : { status: 200, text: found ?? '' }
  }

  async #event(fn: string, envelope: Envelope): Promise<void> {
    this.events.push({ function: fn, envelope })
    for (let attempt = 1; attempt <= 3; attempt++) {
      try {
        return void (await this.invoke(fn, envelope))
      } catch (error) {
        this.failed.push(`${fn}: ${(error as Error).message}`)
      }
    }
  }

  async #later(body: string, ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms))
    const [fn = ''] = this.#sandboxes.keys()
    await this.invoke(fn, { Records: [{ messageId: '1', body, eventSource: 'aws:sqs' }] })
  }

  #track(work: Promise<void>): void {
    this.#under.add(work)
    void work.finally(() => this.#under.delete(work))
  }
}

interface Answered {
  status: number
  text?: string | Buffer
}

async function createTable(): Promise<void> {
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' })
  const response = await service('dynamodb').ask({
    method: 'POST',
    path: [],
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.CreateTable' },
    body: JSON.stringify({
      TableName: TABLE,
      AttributeDefinitions: [attribute('pk'), attribute('sk')],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
    deadline: Date.now() + 5000,
  })
  if (response.status !== 200) throw new Error(response.body.toString())
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
