import { timeQueue } from '../names.js'
import type { Observed, ObservedEventSource } from './observed.js'
import { stepFor } from './plan-shared.js'
import { type Desired, type EventSourceResource, ofKind } from './resources.js'
import type { Step } from './steps.js'

/**
 * Steps for what takes messages from queues: once the function is live that hears them. An app that has no buckets any more hears of no time
 * from before its switch on; the sweep tells it to sessions that began with them.
 */
export function planEventSources(desired: Desired, { queues }: Observed): Step[] {
  const sources = ofKind(desired, 'event-source')
  const name = timeQueue(desired.settings.prefix)
  const isHeard = sources.some(({ queue }) => queue === name)
  return [
    ...sources.flatMap((source) => sourceSteps(source, queues.get(source.queue)?.eventSources ?? [])),
    ...(isHeard ? [] : (queues.get(name)?.eventSources ?? []).map((one) => deletion('schedules', name, one))),
  ]
}

function sourceSteps(source: EventSourceResource, [first, ...others]: readonly ObservedEventSource[]): Step[] {
  const step = stepFor('entries', `event source ${source.queue}`)
  const words = `${source.functionName}:${source.qualifier} takes its messages, ${source.batchSize} at a time`
  return [
    ...(first === undefined ? [step(words, { do: 'create-event-source', source })] : []),
    ...(first && !isSame(first, source) ? [step(words, { do: 'set-event-source', source, id: first.id })] : []),
    ...others.map((one) => deletion('entries', source.queue, one)),
  ]
}

function isSame(known: ObservedEventSource, { batchSize, functionName, qualifier }: EventSourceResource): boolean {
  return (
    known.target.endsWith(`:function:${functionName}:${qualifier}`) &&
    known.batchSize === batchSize &&
    known.isEnabled &&
    known.reportsFailures
  )
}

function deletion(phase: 'schedules' | 'entries', queue: string, { id, target }: ObservedEventSource): Step {
  const words = `${target.split(':function:').at(-1)} takes no messages any more`
  return stepFor(phase, `event source ${queue}`)(words, { do: 'delete-event-source', id })
}
