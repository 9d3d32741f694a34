import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.js'

export interface LogEvent {
  id: string
  timestamp: number
  ingestionTime: number
  message: string
}

export interface LogGroup {
  name: string
  arn: string
  createdMs: number
  retentionDays?: number
  tags: Map<string, string>
  streams: Map<string, { createdMs: number; events: LogEvent[] }>
}

/** The log groups that exist and what was written to them. */
export class LogStore {
  readonly groups = new Map<string, LogGroup>()
  readonly #clock: Clock
  readonly #place: string
  #events = 0

  constructor(region: string, account: string, clock: Clock) {
    this.#clock = clock
    this.#place = `arn:aws:logs:${region}:${account}:log-group:`
  }

  arnOf(name: string): string {
    return this.#place + name
  }

  create(name: string): LogGroup {
    const group: LogGroup = {
      name,
      arn: this.arnOf(name),
      createdMs: this.#clock.now(),
      tags: new Map(),
      streams: new Map(),
    }
    this.groups.set(name, group)
    return group
  }

  /** Adds a line; a group that does not exist takes none. */
  write(groupName: string, streamName: string, message: string): void {
    const group = this.groups.get(groupName)
    if (!group) return
    const now = this.#clock.now()
    const stream = group.streams.get(streamName) ?? { createdMs: now, events: [] }
    group.streams.set(streamName, stream)
    const id = `${String(++this.#events).padStart(20, '0')}${randomUUID().replaceAll('-', '')}`
    stream.events.push({ id, timestamp: now, ingestionTime: now, message })
  }

  /** All messages of a group, oldest first. */
  messages(groupName: string): string[] {
    return this.events(groupName).map(({ event }) => event.message)
  }

  events(groupName: string): { stream: string; event: LogEvent }[] {
    const streams = this.groups.get(groupName)?.streams ?? new Map<string, { events: LogEvent[] }>()
    return [...streams]
      .flatMap(([stream, { events }]) => events.map((event) => ({ stream, event })))
      .sort((a, b) => a.event.timestamp - b.event.timestamp || (a.event.id < b.event.id ? -1 : 1))
  }
}
