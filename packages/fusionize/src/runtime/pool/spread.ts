import type { Link, TaskDefinition } from '../../definition.js'
import { enter, spanCode } from '../calls.js'
import { isDelivery } from '../delivery.js'
import { Frame, type Run } from '../frames.js'
import { type Maps, onLoop, type RunItem } from '../map.js'
import { answer } from '../run.js'
import { copiedBytes, copy, decode, encode, sizeOf } from '../wire.js'
import { errorFromWire } from '../wire-errors.js'
import type { Pool } from './pool.js'

/** What besides items of maps runs in a function's pool. */
export interface Spread {
  /** Whole invocations, since several share the sandbox (BASELINES, `photons` 5). */
  whole?: boolean
  /** Tasks that run in the pool when their inline call is one of several that its caller makes at once (BASELINES, `faastlane` 3). */
  branches?: readonly string[]
}

/** Begins a call, knowing how many its caller made at once. */
type Begin = (calls: number) => void

/**
 * `maps` for a function whose setup leaves more than maps to its pool. Where there is no pool (one core, or a member of one) nothing changes.
 * In a module of its own, so that no other function carries it.
 */
export function spread(maps: Maps, { whole = false, branches = [] }: Spread): Maps {
  const known = new WeakSet<object>()
  return {
    map: maps.map,
    start(run, definition) {
      const { router } = run
      const { pool } = router
      if (pool === undefined) return maps.start(run, definition)
      if (!known.has(router)) {
        known.add(router)
        for (const name of branches) {
          const task = router.task(name)
          if (task) router.link(task).call = branch as Link['call']
        }
      }
      if (maps.start(run, definition)) return true
      const { input, known: made } = run.request
      // Objects of buckets, and the answer of one, are with the sandbox.
      const mayLeave = made === undefined && !isDelivery(input) && definition.options.result === undefined
      if (whole && mayLeave) startWhole(run, definition, pool)
      return whole && mayLeave
    },
  }
}

/** As `startRun`, in the pool. */
function startWhole(run: Run, definition: TaskDefinition, pool: Pool): void {
  const { request, router, unit, spans } = run
  // What the process's clock says of CPU time is that of all its invocations.
  spans.sampled = false
  const code = request.mode === 'send' ? spanCode.send : spanCode.call
  const span = spans.open(-1, router.link(definition).name, code, sizeOf(request.input))
  const frame = new Frame(run, unit, undefined, 0, definition, span, request.deadline)
  run.open += 2
  const begin = (runOne: RunItem) => runOne(frame, request.input, undefined, () => run.closeCall())
  const [outcome] = pool.run(
    definition.name,
    1,
    () => begin(onLoop),
    () => begin,
  )
  void outcome?.then((result) =>
    answer(frame, result, (final, held, next) => {
      run.replied = spans.now()
      return run.port.reply(final, held, next)
    }),
  )
}

/** Calls made in this turn, by caller. */
const made = new WeakMap<Frame, Begin[]>()

/**
 * An inline call: alone it runs here; one of several that its caller makes before it waits is a branch, in the pool. Known only when the
 * caller has made them all, so it begins a moment later, with what it was given now.
 */
function branch(frame: Frame, definition: TaskDefinition, input: unknown): Promise<unknown> {
  let given: unknown
  try {
    given = copy(input)
  } catch (error) {
    return Promise.reject(error)
  }
  const { run } = frame
  const bytes = copiedBytes
  const place = frame.nextPlace()
  run.open++
  return new Promise((resolve, reject) => {
    const begin: Begin = (calls) => {
      const { timeout } = definition.options
      const link = run.router.link(definition)
      const newFrame = () => {
        const deadline = timeout === undefined ? undefined : Math.min(frame.deadline, Date.now() + timeout)
        const span = run.spans.open(frame.span, link.name, spanCode.call, bytes)
        return new Frame(run, frame.unit, frame, place, definition, span, deadline)
      }
      if (calls > 1)
        (run.router.pool as Pool)
          .run(
            definition.name,
            1,
            () => later(onLoop),
            () => later,
          )[0]
          ?.then(resolve, reject)
      else {
        const child = newFrame()
        const running = () => enter(child, given, link.leaf)
        ;(timeout === undefined ? running() : child.limit(running, timeout)).then(resolve, reject)
      }
      async function later(runOne: RunItem): Promise<unknown> {
        const outcome = await runOne(newFrame(), encode(given), timeout, () => run.closeCall())
        if (!outcome.ok) throw errorFromWire(outcome.error, frame.definition.name)
        return decode(outcome.output)
      }
    }
    const others = made.get(frame)
    if (others) others.push(begin)
    else {
      const all = [begin]
      made.set(frame, all)
      queueMicrotask(() => {
        made.delete(frame)
        for (const one of all) one(all.length)
      })
    }
  })
}
