import { type Fired, type InvocationRecord, spanId } from 'fusionize/record'
import { startedBy } from './buckets.js'

/** What a bucket started, with the task whose put came last before. */
export interface Firing {
  from: string
  to: string
  fired: Fired
}

/** Finds who put what a bucket started: the two records come in any order, and need not be of one trace. */
export interface Producers {
  /** @returns the firings whose second record this is */
  add(record: InvocationRecord): Firing[]
  /** Firings whose producer has not reported. */
  waiting(): number
  /** Gives the waiting ones up; returns how many there were. */
  giveUp(): number
}

/**
 * @param limit producers, and waiting firings, that are remembered
 * @param onForgotten told of each waiting firing that is given up because there are too many
 */
export function findProducers(limit: number, onForgotten: () => void): Producers {
  const tasks = new Map<string, string>()
  const waiting = new Map<string, Omit<Firing, 'from'>[]>()
  let held = 0

  const wait = (parent: string, firing: Omit<Firing, 'from'>) => {
    const others = waiting.get(parent)
    if (others) others.push(firing)
    else waiting.set(parent, [firing])
    held++
    while (held > limit) {
      const [oldest, firings] = waiting.entries().next().value as [string, Omit<Firing, 'from'>[]]
      firings.shift()
      if (firings.length === 0) waiting.delete(oldest)
      held--
      onForgotten()
    }
  }

  return {
    add(record) {
      const found: Firing[] = []
      for (const { span } of record.puts ?? []) {
        const [id, from] = [spanId(record.span, span), record.spans[span]?.task]
        if (from === undefined) continue
        tasks.set(id, from)
        if (tasks.size > limit) tasks.delete(tasks.keys().next().value as string)
        for (const firing of waiting.get(id) ?? []) found.push({ from, ...firing })
        held -= waiting.get(id)?.length ?? 0
        waiting.delete(id)
      }
      const fired = startedBy(record)
      if (!fired || record.parent === null) return found
      const from = tasks.get(record.parent)
      if (from === undefined) wait(record.parent, { to: record.task, fired })
      else found.push({ from, to: record.task, fired })
      return found
    },
    waiting: () => held,
    giveUp() {
      const count = held
      waiting.clear()
      held = 0
      return count
    },
  }
}
