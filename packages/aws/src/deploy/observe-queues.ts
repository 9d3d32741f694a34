import { type EventSourceMappingConfiguration, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda'
import { GetQueueAttributesCommand, GetQueueUrlCommand, ListQueueTagsCommand } from '@aws-sdk/client-sqs'
import { deadLetterQueue, ownerTag, timeQueue } from '../names.js'
import type { Clients } from './clients.js'
import { failing, unlessGone } from './failure.js'
import type { Found } from './observe.js'
import type { Observed, ObservedEventSource, ObservedQueue } from './observed.js'
import { arnOf, type Settings } from './settings.js'

/** Reads the queues of the app, and what takes messages from that of times: whoever reads dead letters is not our concern. */
export async function observeQueues(clients: Clients, settings: Settings): Promise<Found<Observed['queues']>> {
  const names = [deadLetterQueue(settings.prefix), timeQueue(settings.prefix)]
  const found = await Promise.all(names.map((name) => observeQueue(clients, settings, name)))
  const own = names.flatMap((name, i): [string, ObservedQueue][] => {
    const queue = found[i]
    return queue && queue !== 'stranger' ? [[name, queue]] : []
  })
  const strangers = names.flatMap((name, i) => (found[i] === 'stranger' ? [`queue ${name}`] : []))
  return { own: new Map(own), strangers }
}

async function observeQueue(
  { lambda, sqs }: Clients,
  settings: Settings,
  QueueName: string,
): Promise<ObservedQueue | 'stranger' | undefined> {
  const { prefix } = settings
  const queue = `queue ${QueueName}`
  const attributes = await failing(queue, 'GetQueueAttributes', async () => {
    const url = (await unlessGone(sqs.send(new GetQueueUrlCommand({ QueueName }))))?.QueueUrl
    if (url === undefined) return undefined
    const { Tags } = await sqs.send(new ListQueueTagsCommand({ QueueUrl: url }))
    if (Tags?.[ownerTag] !== prefix) return 'stranger'
    const command = new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ['MessageRetentionPeriod', 'VisibilityTimeout'],
    })
    const { Attributes } = await sqs.send(command)
    return {
      url,
      retentionS: Number(Attributes?.MessageRetentionPeriod),
      visibilityS: Number(Attributes?.VisibilityTimeout),
    }
  })
  if (attributes === undefined || attributes === 'stranger') return attributes
  if (QueueName !== timeQueue(prefix)) return { ...attributes, eventSources: [] }
  const eventSources = await failing(queue, 'ListEventSourceMappings', () =>
    eventSourcesOf(lambda, arnOf(settings, 'sqs', QueueName)),
  )
  return { ...attributes, eventSources }
}

async function eventSourcesOf(lambda: Clients['lambda'], EventSourceArn: string): Promise<ObservedEventSource[]> {
  const all: EventSourceMappingConfiguration[] = []
  for (let Marker: string | undefined, more = true; more; ) {
    const page = await lambda.send(new ListEventSourceMappingsCommand({ EventSourceArn, ...(Marker && { Marker }) }))
    all.push(...(page.EventSourceMappings ?? []))
    Marker = page.NextMarker
    more = Marker !== undefined && Marker !== ''
  }
  return all
    .filter(({ State }) => State !== 'Deleting')
    .map(({ BatchSize = 0, FunctionArn = '', FunctionResponseTypes, State = '', UUID = '' }) => ({
      id: UUID,
      target: FunctionArn,
      batchSize: BatchSize,
      isEnabled: !/^Disabl/.test(State),
      reportsFailures: FunctionResponseTypes?.includes('ReportBatchItemFailures') === true,
    }))
}
