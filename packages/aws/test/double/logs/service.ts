import { bodyOf, type Call, json, type Reply, type ServiceDouble } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import { matchesPattern } from './pattern.js'
import type { LogGroup, LogStore } from './store.js'

type Input = Record<string, unknown>

/** Days for which logs can be kept. */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]
/** Most events in an answer of FilterLogEvents. */
const MOST_EVENTS = 10_000

/**
 * CloudWatch Logs by JSON 1.1.
 * Not imitated: the seconds until a line can be read, the end of what is older than the retention, PutLogEvents by a function itself,
 * Insights, metric filters, subscriptions, the account's 5 transactions a second of FilterLogEvents (`faults` throttles).
 */
export class LogsDouble implements ServiceDouble {
  readonly #store: LogStore
  /** Events in a page where the caller sets no limit; a test makes it small to see paging. */
  pageSize = MOST_EVENTS

  constructor(store: LogStore) {
    this.#store = store
  }

  operationOf({ headers }: Pick<Call, 'headers'>): string {
    return String(headers['x-amz-target'] ?? '').split('.')[1] ?? ''
  }

  resourcesOf(call: Call): string[] {
    const input = bodyOf<{ logGroupName?: string; logGroupIdentifier?: string; resourceArn?: string }>(call)
    const name = input.logGroupName ?? input.logGroupIdentifier
    if (name !== undefined) return [`${name.startsWith('arn:') ? name : this.#store.arnOf(name)}:*`]
    return input.resourceArn === undefined ? [] : [input.resourceArn]
  }

  handle(call: Call): Reply {
    const action = this.#actions[call.operation]
    if (!action) throw new AwsError('UnknownOperationException', 400, `The double of Logs has no ${call.operation}`)
    return json(200, action(bodyOf<Input>(call)) ?? {}, { 'content-type': 'application/x-amz-json-1.1' })
  }

  readonly #actions: Record<string, (input: Input) => Input | undefined> = {
    CreateLogGroup: (input) => {
      const name = String(input.logGroupName)
      if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(name))
        throw new AwsError('InvalidParameterException', 400, `Invalid log group name ${name}`)
      if (this.#store.groups.has(name))
        throw new AwsError('ResourceAlreadyExistsException', 400, 'The specified log group already exists')
      const group = this.#store.create(name)
      setTags(group, (input.tags ?? {}) as Record<string, string>)
      return undefined
    },
    DeleteLogGroup: (input) => {
      this.#store.groups.delete(this.#group(input).name)
      return undefined
    },
    DescribeLogGroups: (input) => {
      const prefix = String(input.logGroupNamePrefix ?? '')
      const all = [...this.#store.groups.values()]
        .filter(({ name }) => name.startsWith(prefix))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      const { page, nextToken } = paged(all, input, Number(input.limit ?? 50))
      return { logGroups: page.map(describe), nextToken }
    },
    PutRetentionPolicy: (input) => {
      const days = Number(input.retentionInDays)
      if (!retentions.includes(days))
        throw new AwsError('InvalidParameterException', 400, `${days} days is no retention that CloudWatch Logs has`)
      this.#group(input).retentionDays = days
      return undefined
    },
    DeleteRetentionPolicy: (input) => {
      delete this.#group(input).retentionDays
      return undefined
    },
    TagResource: (input) => {
      setTags(this.#groupByArn(input), input.tags as Record<string, string>)
      return undefined
    },
    UntagResource: (input) => {
      const group = this.#groupByArn(input)
      for (const key of input.tagKeys as string[]) group.tags.delete(key)
      return undefined
    },
    ListTagsForResource: (input) => ({ tags: Object.fromEntries(this.#groupByArn(input).tags) }),
    DescribeLogStreams: (input) => {
      const group = this.#group(input)
      const prefix = String(input.logStreamNamePrefix ?? '')
      const all = [...group.streams].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
      const { page, nextToken } = paged(all, input, Number(input.limit ?? 50))
      const logStreams = page.map(([logStreamName, { createdMs, events }]) => ({
        logStreamName,
        creationTime: createdMs,
        arn: `${group.arn}:log-stream:${logStreamName}`,
        firstEventTimestamp: events[0]?.timestamp,
        lastEventTimestamp: events.at(-1)?.timestamp,
      }))
      return { logStreams, nextToken }
    },
    GetLogEvents: (input) => {
      const group = this.#group(input)
      const stream = group.streams.get(String(input.logStreamName))
      if (!stream) throw new AwsError('ResourceNotFoundException', 400, 'The specified log stream does not exist.')
      const inRange = stream.events.filter((event) => isBetween(event.timestamp, input))
      const start = Number(String(input.nextToken ?? 'f/0').split('/')[1])
      const page = inRange.slice(start, start + Number(input.limit ?? this.pageSize))
      const events = page.map(({ timestamp, ingestionTime, message }) => ({ timestamp, ingestionTime, message }))
      return { events, nextForwardToken: `f/${start + page.length}`, nextBackwardToken: `b/${start}` }
    },
    FilterLogEvents: (input) => {
      const group = this.#group(input)
      const streams = input.logStreamNames as string[] | undefined
      const prefix = input.logStreamNamePrefix as string | undefined
      const found = this.#store
        .events(group.name)
        .filter(({ stream }) => (streams?.includes(stream) ?? true) && stream.startsWith(prefix ?? ''))
        .filter(({ event }) => isBetween(event.timestamp, input))
        .filter(({ event }) => matchesPattern(String(input.filterPattern ?? ''), event.message))
      const limit = Math.min(Number(input.limit ?? this.pageSize), this.pageSize)
      const { page, nextToken } = paged(found, input, limit)
      const events = page.map(({ stream, event }) => ({
        logStreamName: stream,
        timestamp: event.timestamp,
        ingestionTime: event.ingestionTime,
        message: event.message,
        eventId: event.id,
      }))
      return { events, nextToken, searchedLogStreams: [] }
    },
  }

  #group(input: Input): LogGroup {
    const identifier = String(input.logGroupName ?? input.logGroupIdentifier)
    const name = identifier.split(':log-group:').at(-1)?.replace(/:\*$/, '') ?? ''
    const group = this.#store.groups.get(name)
    if (!group) throw new AwsError('ResourceNotFoundException', 400, 'The specified log group does not exist.')
    return group
  }

  /** Tags are of the group's ARN without `:*` at its end. */
  #groupByArn(input: Input): LogGroup {
    const arn = String(input.resourceArn)
    const group = [...this.#store.groups.values()].find((x) => x.arn === arn)
    if (!group) throw new AwsError('ResourceNotFoundException', 400, `The specified resource does not exist: ${arn}`)
    return group
  }
}

function describe(group: LogGroup): Input {
  return {
    logGroupName: group.name,
    creationTime: group.createdMs,
    retentionInDays: group.retentionDays,
    metricFilterCount: 0,
    arn: `${group.arn}:*`,
    logGroupArn: group.arn,
    storedBytes: 0,
    logGroupClass: 'STANDARD',
  }
}

function setTags(group: LogGroup, tags: Record<string, string>): void {
  for (const [key, value] of Object.entries(tags)) group.tags.set(key, value)
}

/** `startTime` belongs to the range; so does `endTime`, but not in GetLogEvents. */
function isBetween(timestamp: number, input: Input): boolean {
  const { startTime = 0, endTime = Number.POSITIVE_INFINITY } = input as { startTime?: number; endTime?: number }
  return timestamp >= startTime && timestamp <= endTime
}

function paged<T>(items: T[], input: Input, limit: number): { page: T[]; nextToken: string | undefined } {
  const start = Number(input.nextToken ?? 0)
  const end = start + limit
  return { page: items.slice(start, end), nextToken: end < items.length ? String(end) : undefined }
}
