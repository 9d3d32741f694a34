import type { DeadLetter } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { errorToWire, type Outcome, type Payload, type WireError } from 'fusionize/runtime'
import type { AcceptedSend, SendEvent } from './events.js'
import { both, type Journal, type JournalState, noJournal, openJournal } from './journal.js'
import { type Item, SendTable } from './table.js'

export type { AcceptedSend } from './events.js'

/** Longest back-off, ms. */
const MAX_DELAY_MS = 60_000

export interface SendsOptions {
  /** Folder of the journal. */
  dir: string
  /** What an acceptance survives: `none` sandboxes, `journal` also the platform's kill, `fsync` also power loss. */
  durability: 'none' | 'journal' | 'fsync'
  /** Runs after the first, for tasks that do not say. */
  retries: number
  retriesOf(task: string): number | undefined
  /** Back-off before the first retry, ms. */
  retryDelayMs: number
  /** Runs a send to its end. */
  run(send: AcceptedSend): Promise<Outcome>
  /** Told of the input of a send that is done. */
  finished?: (input: Payload) => void
  /** Told of a send that is done or dead: what is kept from here on, the journal has after that. */
  over?: (id: string) => void
  /** Told of a dead letter that is to be run again. @returns the session that it runs in, when that is another */
  replays?: (send: Omit<AcceptedSend, 'attempt'>) => string | undefined
  /** Whose events the journal keeps, too. */
  also?: Pick<JournalState, 'apply' | 'snapshot'>
  /** Size above which the journal is rewritten when it is mostly history. @default 8 MiB */
  compactBytes?: number
  now?: () => number
  random?: () => number
  setTimer?: (then: () => void, ms: number) => { cancel(): void }
}

/** Everything about accepted sends: kept, run, retried, and what fails for good listed. */
export interface Sends {
  /**
   * Resolves when the items are held as the durability says.
   * @param heldBy sandbox that runs them; absent = they are run by `run`, at once
   * @returns ids that were accepted before: they must not run again
   * @throws {FusionizeError} when the journal cannot be written: nothing is accepted
   */
  accept(items: AcceptedSend[], heldBy?: string): Promise<string[]>
  /** Keeps other events, in the order of everything else. @throws {FusionizeError} when the journal cannot be written */
  append(events: SendEvent[]): Promise<void>
  /** Whether a send of this id was accepted, or is about to be. */
  knows(id: string): boolean
  /** What an earlier run accepted and did not finish. */
  unfinished(): AcceptedSend[]
  /** Of everything that is kept, dead letters included. */
  inputs(): Payload[]
  /** A held item ended in its sandbox. */
  settled(id: string, outcome: Outcome): void
  /** Runs an item again, now, whatever becomes of its last run. @returns false when it is done */
  again(id: string): boolean
  /** An item that has failed in another way than by its runs: a dead letter. @returns whether it was done, so that it is kept anew */
  bury(send: AcceptedSend, error: WireError): boolean
  /** The newest item of the session and task that is not done. */
  find(session: string, task: string): AcceptedSend | undefined
  /** A held item that has not begun in its sandbox, and will not: it is run by `run`. */
  release(id: string, heldBy: string): void
  /** The sandbox is gone: what it held is run by `run`. */
  orphan(heldBy: string): void
  /** Resolves when every item is done or dead. */
  drained(): Promise<void>
  deadLetters(): DeadLetter[]
  /** Runs dead letters again; all when `ids` is absent. @returns how many */
  replay(ids?: string[]): Promise<number>
  stats(): { pending: number; retrying: number; dead: number }
  /** What is not done stays in the journal for the next time. */
  close(): Promise<void>
}

/**
 * Opens the sends of a folder and runs what is still to do.
 *
 * A run that fails is tried again after `retryDelayMs`, doubling, at most a minute, times a random share (so that what failed together does
 * not return together), until the task's retries are used up; then it is a dead letter. Every failed run counts, the
 * sandbox's crash included; only a platform that shuts down does not. The death of a sandbox counts for all items that it held, and that
 * of a platform for all that were not done, but either leaves them at least one run, since they may not have had any.
 * @throws {FusionizeError} `INVALID_CONFIG`: another platform uses the folder
 */
export function createSends(options: SendsOptions): Sends {
  const { run, now = Date.now, random = Math.random, setTimer = realTimer } = options
  const table = new SendTable()
  const journal: Journal =
    options.durability === 'none'
      ? noJournal
      : openJournal(
          options.dir,
          options.also ? both(table, options.also) : table,
          options.durability === 'fsync',
          options.compactBytes,
        )
  /** Acceptances on their way to the journal. */
  const arriving = new Map<string, Promise<void>>()
  const held = new Map<string, string>()
  const timers = new Map<string, { cancel(): void }>()
  let dead = [...table.items.values()].filter((item) => item.dead).length
  let idle: (() => void)[] = []
  let closed = false

  /** The end of whatever ran an item, before it could say how the run went. */
  function cutShort(id: string, item: Item): void {
    const used = Math.min(item.used + 1, retriesOf(item))
    if (used > item.used) happen({ type: 'failed', id, used })
  }

  /** Applies an event and notes it; a note that fails to reach the journal costs a second run, no loss. */
  function happen(event: SendEvent): void {
    table.apply(event)
    journal.append([event]).catch(() => {})
  }

  async function accept(items: AcceptedSend[], heldBy?: string): Promise<string[]> {
    refuseWhenClosed()
    const known: string[] = []
    const fresh = new Map<string, AcceptedSend>()
    const others: Promise<void>[] = []
    for (const item of items) {
      const same = arriving.get(item.id)
      if (same) others.push(same)
      if (same || table.knows(item.id)) known.push(item.id)
      else fresh.set(item.id, item)
    }
    const events = [...fresh.values()].map(({ attempt: _, ...send }): SendEvent => ({ type: 'accept', send }))
    if (events.length > 0) {
      const written = journal.append(events, () => {
        for (const event of events) table.apply(event)
      })
      for (const id of fresh.keys()) arriving.set(id, written)
      try {
        await written
      } catch (error) {
        for (const id of fresh.keys()) arriving.delete(id)
        wake()
        throw error
      }
      for (const id of fresh.keys()) arriving.delete(id)
      for (const id of fresh.keys())
        if (heldBy === undefined) dispatch(id)
        else held.set(id, heldBy)
    }
    // An acceptance that is promised twice must be kept before either promise is given.
    await Promise.all(others)
    return known
  }

  function dispatch(id: string): void {
    const item = table.items.get(id)
    if (!item || item.dead || closed) return
    run({ ...item.send, attempt: item.used + 1 }).then(
      (outcome) => settle(id, outcome),
      (error: unknown) => settle(id, { ok: false, error: errorToWire(error) }),
    )
  }

  function settle(id: string, outcome: Outcome): void {
    const item = table.items.get(id)
    if (!item || closed) return
    if (!outcome.ok && outcome.error.code === 'SHUTTING_DOWN') return
    if (outcome.ok) {
      // It was buried while it ran, and came to its end all the same.
      if (item.dead) dead--
      happen({ type: 'done', id })
      options.finished?.(item.send.input)
      options.over?.(id)
    } else if (!item.dead) fail(id, item, outcome.error)
    wake()
  }

  function fail(id: string, item: Item, error: WireError): void {
    const used = item.used + 1
    if (used > retriesOf(item)) {
      dead++
      happen({ type: 'dead', id, used, error, failed: now() })
      options.over?.(id)
    } else {
      happen({ type: 'failed', id, used })
      later(id, used)
    }
  }

  function later(id: string, used: number): void {
    const delayMs = random() * Math.min(MAX_DELAY_MS, options.retryDelayMs * 2 ** (used - 1))
    const timer = setTimer(() => {
      timers.delete(id)
      dispatch(id)
    }, delayMs)
    timers.set(id, timer)
  }

  function retriesOf(item: Item): number {
    return options.retriesOf(item.send.task) ?? options.retries
  }

  function refuseWhenClosed(): void {
    if (closed) throw new FusionizeError('SHUTTING_DOWN', 'the platform is shutting down; nothing is accepted any more')
  }

  function pending(): number {
    return table.items.size - dead
  }

  function wake(): void {
    if (pending() > 0 || arriving.size > 0) return
    for (const then of idle) then()
    idle = []
  }

  const crashed = table.open
  happen({ type: 'opened' })
  for (const [id, item] of table.items) {
    if (item.dead) continue
    // Later: those who give `run` and `retriesOf` may not be ready before they have their sends.
    queueMicrotask(() => {
      if (crashed) cutShort(id, item)
      dispatch(id)
    })
  }

  return {
    accept,
    append: (events) => journal.append(events),
    knows: (id) => arriving.has(id) || table.knows(id),
    inputs: () => [...table.items.values()].map(({ send }) => send.input),
    unfinished: () =>
      [...table.items.values()].filter(({ dead }) => !dead).map(({ send, used }) => ({ ...send, attempt: used + 1 })),
    settled(id, outcome) {
      const written = arriving.get(id)
      // Its sandbox was faster than the journal.
      if (written) void written.then(() => this.settled(id, outcome)).catch(() => {})
      // After an orphan it runs elsewhere already: what its old sandbox still said is not the last word.
      else if (held.delete(id)) settle(id, outcome)
    },
    again(id) {
      const item = table.items.get(id)
      if (item === undefined || item.dead) return false
      timers.get(id)?.cancel()
      timers.delete(id)
      held.delete(id)
      dispatch(id)
      return true
    },
    bury(send, error) {
      if (closed) return false
      timers.get(send.id)?.cancel()
      timers.delete(send.id)
      held.delete(send.id)
      const item = table.items.get(send.id)
      if (item?.dead) return false
      const { attempt: _, ...kept } = send
      // Done, though it did not do what it should have: it is kept under another name.
      const id = item ? send.id : `${send.id}+`
      if (!item) happen({ type: 'accept', send: { ...kept, id } })
      dead++
      happen({ type: 'dead', id, used: (item?.used ?? 0) + 1, error, failed: now() })
      options.over?.(send.id)
      wake()
      return item === undefined
    },
    find(session, task) {
      const found = [...table.items.values()].findLast(
        ({ send, dead }) => !dead && send.session === session && send.task === task,
      )
      return found && { ...found.send, attempt: found.used + 1 }
    },
    release(id, heldBy) {
      const written = arriving.get(id)
      if (written) void written.then(() => this.release(id, heldBy)).catch(() => {})
      else if (held.get(id) === heldBy && held.delete(id)) dispatch(id)
    },
    orphan(heldBy) {
      if (closed) return
      for (const [id, holder] of held) {
        if (holder !== heldBy) continue
        held.delete(id)
        const item = table.items.get(id)
        if (!item) continue
        cutShort(id, item)
        dispatch(id)
      }
    },
    drained: () =>
      closed || (pending() === 0 && arriving.size === 0)
        ? Promise.resolve()
        : new Promise<void>((resolve) => idle.push(resolve)),
    deadLetters: () =>
      [...table.items].flatMap(([id, { send, used, dead: end }]) =>
        end
          ? [
              {
                id,
                task: send.task,
                session: send.session,
                attempts: used,
                accepted: send.accepted,
                input: send.input,
                ...end,
              },
            ]
          : [],
      ),
    async replay(ids) {
      refuseWhenClosed()
      const chosen = [...table.items].filter(([id, item]) => item.dead && (ids === undefined || ids.includes(id)))
      if (chosen.length === 0) return 0
      const revived: string[] = []
      const events = chosen.map(([id, { send }]): SendEvent => {
        const session = options.replays?.(send)
        return { type: 'replay', id, ...(session !== undefined && { session }) }
      })
      await journal.append(events, () => {
        // Another replay may have had the same wish meanwhile.
        for (const [id, item] of chosen) if (item.dead) revived.push(id)
        for (const event of events) table.apply(event)
        dead -= revived.length
      })
      for (const id of revived) dispatch(id)
      return revived.length
    },
    stats: () => ({ pending: pending() - timers.size, retrying: timers.size, dead }),
    async close() {
      if (closed) return
      closed = true
      for (const timer of timers.values()) timer.cancel()
      timers.clear()
      for (const then of idle) then()
      happen({ type: 'closed' })
      await journal.close()
    },
  }
}

function realTimer(then: () => void, ms: number): { cancel(): void } {
  const timer = setTimeout(then, ms)
  return { cancel: () => clearTimeout(timer) }
}
