import { randomUUID } from 'node:crypto'
import type { EventSourceMappingConfiguration } from '@aws-sdk/client-lambda'
import type { Clock } from '../clock.js'
import { bodyOf, type Call, json, type Reply } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import { isAllowed } from '../iam/policy.js'
import type { RoleStore } from '../iam/roles.js'
import type { Message, Queues } from '../stores/queues.js'
import { type Invoker, newTraceId } from './invoke.js'
import { conflict, invalid } from './model.js'
import type { Places } from './places.js'
import { sqsEvent, succeeded } from './sqs-event.js'

/** Time between looks into a queue, ms. */
const POLL_MS = 20

export interface MappingParts {
  places: Places
  invoker: Invoker
  roles: RoleStore
  queues: Queues
  clock: Clock
  delayScale: number
}

interface Input {
  EventSourceArn?: string
  FunctionName?: string
  BatchSize?: number
  MaximumBatchingWindowInSeconds?: number
  Enabled?: boolean
  FunctionResponseTypes?: 'ReportBatchItemFailures'[]
}

type Mapping = EventSourceMappingConfiguration & { UUID: string; EventSourceArn: string; FunctionArn: string }

interface MappingRequest {
  call: Call
  id: string
}

/**
 * Event source mappings from SQS: Lambda polls and invokes with batches.
 * Not imitated: other sources, filters, several pollers and their scaling, back-off after errors, maximum concurrency, Lambda's short
 * states Creating, Updating and Deleting.
 */
export class Mappings {
  readonly all = new Map<string, Mapping>()
  /** Items in a page at most; a test makes it small to see paging. 100 in Lambda ("ListEventSourceMappings", AWS Lambda API Reference). */
  pageSize = 100
  readonly #parts: MappingParts
  #isClosed = false

  constructor(parts: MappingParts) {
    this.#parts = parts
  }

  readonly operations: Record<string, (request: MappingRequest) => Reply | Promise<Reply>> = {
    CreateEventSourceMapping: async ({ call }) => json(202, await this.#create(bodyOf<Input>(call))),
    UpdateEventSourceMapping: ({ call, id }) => json(202, this.#update(this.#find(id), bodyOf<Input>(call))),
    GetEventSourceMapping: ({ id }) => json(200, this.#find(id)),
    DeleteEventSourceMapping: ({ id }) => {
      const mapping = this.#find(id)
      this.all.delete(id)
      return json(202, { ...mapping, State: 'Deleting' })
    },
    ListEventSourceMappings: ({ call }) => {
      const fn = call.query.get('FunctionName')
      const source = call.query.get('EventSourceArn')
      const EventSourceMappings = [...this.all.values()].filter(
        (x) => (fn === null || x.FunctionArn === this.#arn(fn)) && (source === null || x.EventSourceArn === source),
      )
      const from = Number(call.query.get('Marker') ?? 0)
      const to = from + Math.min(this.pageSize, Number(call.query.get('MaxItems') ?? 100))
      const more = to < EventSourceMappings.length ? { NextMarker: String(to) } : {}
      return json(200, { EventSourceMappings: EventSourceMappings.slice(from, to), ...more })
    },
  }

  close(): void {
    this.#isClosed = true
    this.all.clear()
  }

  async #create(input: Input): Promise<Mapping> {
    const { EventSourceArn = '', FunctionName = '', BatchSize = 10, Enabled = true, FunctionResponseTypes = [] } = input
    const { places, queues } = this.#parts
    const fn = places.find(FunctionName)
    if (!EventSourceArn.startsWith('arn:aws:sqs:')) throw invalid(`The double polls SQS only, not ${EventSourceArn}`)
    const FunctionArn = this.#arn(FunctionName)
    places.configuration(fn, places.parse(FunctionName).qualifier)
    const same = [...this.all.values()].find(
      (x) => x.EventSourceArn === EventSourceArn && x.FunctionArn === FunctionArn,
    )
    if (same)
      throw conflict(
        `An event source mapping with SQS arn (" ${EventSourceArn} ") and function (" ${fn.name} ") already exists. Please update or delete the existing mapping with UUID ${same.UUID}`,
      )
    checkBatch(input)
    this.#checkRole(fn.latest.Role ?? '', EventSourceArn)
    const visibility = await queues.visibilitySeconds(EventSourceArn).catch(() => {
      throw invalid('Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue.')
    })
    const timeout = fn.latest.Timeout ?? 3
    if (visibility < timeout)
      throw invalid(`Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`)
    const mapping: Mapping = {
      UUID: randomUUID(),
      EventSourceArn,
      FunctionArn,
      BatchSize,
      MaximumBatchingWindowInSeconds: input.MaximumBatchingWindowInSeconds ?? 0,
      FunctionResponseTypes,
      State: Enabled ? 'Enabled' : 'Disabled',
      StateTransitionReason: 'USER_INITIATED',
      LastModified: (this.#parts.clock.now() / 1000) as unknown as Date,
    }
    this.all.set(mapping.UUID, mapping)
    void this.#poll(mapping)
    return { ...mapping, State: 'Creating' }
  }

  #update(mapping: Mapping, input: Input): Mapping {
    checkBatch({ ...mapping, ...input } as Input)
    const { Enabled, FunctionName, ...rest } = input
    Object.assign(mapping, rest)
    if (FunctionName !== undefined) mapping.FunctionArn = this.#arn(FunctionName)
    if (Enabled !== undefined) mapping.State = Enabled ? 'Enabled' : 'Disabled'
    return mapping
  }

  async #poll(mapping: Mapping): Promise<void> {
    while (!this.#isClosed && this.all.has(mapping.UUID)) {
      const messages = mapping.State === 'Enabled' ? await this.#gather(mapping).catch(() => []) : []
      if (messages.length > 0) await this.#run(mapping, messages).catch(() => {})
      else await sleep(POLL_MS)
    }
  }

  /** A batch: as many as there are, or as come in the window. */
  async #gather(mapping: Mapping): Promise<Message[]> {
    const { EventSourceArn, BatchSize = 10, MaximumBatchingWindowInSeconds = 0 } = mapping
    const { queues, delayScale } = this.#parts
    const windowMs = MaximumBatchingWindowInSeconds * 1000 * delayScale
    const messages: Message[] = []
    let endMs: number | undefined
    while (messages.length < BatchSize) {
      const more = await queues.receive(EventSourceArn, BatchSize - messages.length, 0)
      messages.push(...more)
      if (messages.length === 0) break
      endMs ??= Date.now() + windowMs
      if (more.length > 0) continue
      if (Date.now() >= endMs) break
      await sleep(Math.min(POLL_MS, endMs - Date.now()))
    }
    return messages
  }

  /** What failed stays in the queue, hidden until its visibility time-out. */
  async #run(mapping: Mapping, messages: Message[]): Promise<void> {
    const { places, invoker, queues } = this.#parts
    const { EventSourceArn, FunctionArn } = mapping
    const payload = Buffer.from(JSON.stringify(sqsEvent(messages, EventSourceArn)))
    const { name, qualifier } = places.parse(FunctionArn)
    const { isError, payload: answer } = await invoker.invoke({
      name,
      qualifier,
      payload,
      requestId: randomUUID(),
      traceId: newTraceId(),
    })
    if (isError) return
    const partial = mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures')
    const done = partial ? succeeded(messages, answer) : messages
    await queues.delete(
      EventSourceArn,
      done.map(({ ReceiptHandle }) => ReceiptHandle),
    )
  }

  #checkRole(roleArn: string, queue: string): void {
    const policies = this.#parts.roles.policiesOf(this.#parts.roles.byArn(roleArn)?.name ?? '')
    const missing = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].find(
      (x) => !isAllowed(policies, `sqs:${x}`, queue),
    )
    if (missing) throw invalid(`The function execution role does not have permissions to call ${missing} on SQS`)
  }

  #arn(nameOrArn: string): string {
    const { name, qualifier } = this.#parts.places.parse(nameOrArn)
    return this.#parts.places.arnOf(name, qualifier)
  }

  #find(id: string): Mapping {
    const mapping = this.all.get(id)
    if (!mapping) throw new AwsError('ResourceNotFoundException', 404, 'The resource you requested does not exist.')
    return mapping
  }
}

/** More than ten messages need a batching window of a second or more. */
function checkBatch({ BatchSize = 10, MaximumBatchingWindowInSeconds = 0 }: Input): void {
  if (BatchSize < 1 || BatchSize > 10_000) throw invalid(`BatchSize ${BatchSize} is not between 1 and 10000`)
  if (BatchSize > 10 && MaximumBatchingWindowInSeconds < 1)
    throw invalid('Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10')
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
