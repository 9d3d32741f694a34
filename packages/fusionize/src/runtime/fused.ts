import type { Frame, Fused, Held, Run, Unit } from './frames.js'
import type { Lease } from './lease.js'
import type { HeldSend, Outcome } from './protocol.js'
import { begin, leave, settle } from './run.js'

const soon = /* @__PURE__ */ Promise.resolve()
const none: readonly never[] = []
/** Ms for which a unit that nobody waits for is not answered while work that it began goes on: what ends by then costs no word. */
const LINGER_MS = 20
/** After so many turns of a session in which its answer did not follow what it put, none waits for it any more. */
const TURNS_IN_VAIN = 3
/** After so many starts in a row that could not wait for their producer's answer, the next do not try to, */
const LEFT_IN_A_ROW = 3
/** but for one in so many. */
const TRY_EVERY = 32

/** How what a trigger starts as invocations of its own fares: how many in a row left, since their producer went on after the put. */
export interface Habit {
  left: number
}

/** What the triggers of fused buckets started on behalf of a unit that is not answered: nothing of it is accepted yet. */
class FusedWork implements Fused {
  private readonly begun: Held[] = []
  /** Had begun and failed: it is the platform's to run again. */
  private failed: { held: Held; outcome: Outcome }[] | undefined
  /** To begin as invocations of their own. */
  private next: { held: Held; habit: Habit }[] | undefined
  private onQuiet: (() => void) | undefined
  /** That put what waits. */
  private frame: Frame | undefined

  begin(run: Run, held: Held, root: Unit): void {
    this.begun.push(held)
    begin(run, held, root, conclude)
  }

  /** Begins when what is under way in this turn has put what it puts: the session's answer may be among that. */
  beginAfterTurn(run: Run, held: Held, root: Unit, lease: Lease): void {
    this.begun.push(held)
    afterTurn(() => {
      if (lease.result !== undefined) lease.inVain++
      begin(run, held, root, conclude)
    })
  }

  /** Begins when the unit is answered; should that take longer than this turn, it is not kept waiting here. */
  queue(frame: Frame, held: Held, habit: Habit): void {
    if (this.next === undefined) {
      this.next = []
      this.frame = frame
      watch(this)
    }
    this.next.push({ held, habit })
  }

  /** Nothing waits for the unit's answer any more. */
  get answered(): boolean {
    const { unit } = this.frame as Frame
    return (unit.root ?? unit).answered
  }

  /** What waits for the answer of a unit that goes on leaves. */
  unqueue(): void {
    const { frame, next } = this
    if (frame === undefined || next === undefined || this.answered) return
    this.next = undefined
    for (const { held, habit } of next) {
      habit.left++
      leaveLate(frame, held)
    }
  }

  ended(run: Run, held: Held, outcome: Outcome): void {
    const { begun } = this
    // Mostly what begins first ends first.
    if (begun[0] === held) begun.shift()
    else begun.splice(begun.indexOf(held), 1)
    if (outcome.ok) run.lease?.done.push(held)
    else {
      if (run.lease) run.lease.spread = true
      this.failed ??= []
      this.failed.push({ held, outcome })
    }
    if (this.onQuiet && begun.length === 0) this.onQuiet()
  }

  quiet({ detached }: Unit): Promise<void> | undefined {
    if (!detached || this.begun.length === 0) return undefined
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LINGER_MS)
      this.onQuiet = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  left(): readonly Held[] {
    if (this.begun.length === 0 && this.failed === undefined) return none
    return [...(this.failed?.map(({ held }) => held) ?? []), ...this.begun]
  }

  nextSends(): readonly HeldSend[] {
    if (this.next === undefined) return none
    return this.next.map(({ held, habit }) => {
      habit.left = 0
      return held.send()
    })
  }

  handed(run: Run, next: readonly HeldSend[], free: boolean): void {
    if (run.lease && next.length > 0) run.router.keepOwn(run.lease, next, free)
    for (const { held, outcome } of this.failed ?? []) void run.port.settled(held.id, outcome, [], [])
  }
}

/** A tick of the turn that is under way may come before the promises that end it. */
function afterTurn(then: () => void): void {
  void soon.then(() => process.nextTick(then))
}

/** Whose work waits for an answer in this turn; of a chain the last only. */
let watched: FusedWork[] = []

function watch(work: FusedWork): void {
  if (watched.length === 0)
    afterTurn(() => {
      const all = watched
      watched = []
      for (const one of all) one.unqueue()
    })
  const last = watched.length - 1
  if (watched[last]?.answered) watched[last] = work
  else watched.push(work)
}

/** Work that a trigger starts in the same invocation: at once where nobody waits for the answer, else after it (Promise 3). */
export function startOrHold(frame: Frame, held: Held): void {
  const { run, unit } = frame
  const root = unit.root ?? unit
  if (!root.detached && !root.answered) {
    root.held ??= []
    root.held.push(held)
  } else if (root.answered && root === unit) leaveLate(frame, held)
  else {
    const to = root.answered ? unit : root
    const { lease } = run
    if (unit === root && lease?.result !== undefined && lease.inVain < TURNS_IN_VAIN)
      fusedOf(to).beginAfterTurn(run, held, to, lease)
    else fusedOf(to).begin(run, held, to)
  }
}

/** Work that a trigger starts as an invocation of its own, here if this sandbox is free then. */
export function startNext(frame: Frame, held: Held, habit: Habit): void {
  const { unit } = frame
  const root = unit.root ?? unit
  const leaves = habit.left >= LEFT_IN_A_ROW && ++habit.left % TRY_EVERY !== 0
  if (leaves || (root.answered && root === unit)) leaveLate(frame, held)
  else fusedOf(root.answered ? unit : root).queue(frame, held, habit)
}

function fusedOf(unit: Unit): FusedWork {
  unit.fused ??= new FusedWork()
  return unit.fused as FusedWork
}

/** What does not wait for its unit's answer, or was made after it, leaves the sandbox. */
function leaveLate(frame: Frame, held: Held): void {
  if (frame.run.lease) frame.run.lease.spread = true
  const { id, session, function: fn, task, input, trace, parent, setup } = held.send()
  const deadline = Number.MAX_SAFE_INTEGER
  const request = { id, session, function: fn, task, input, trace, parent, setup, deadline }
  leave(frame, frame.run.router.send(held.definition, request))
}

/** What runs inside an unanswered unit ends without a word if it succeeds; all else is told outside. */
function conclude(frame: Frame, held: Held, outcome: Outcome): unknown {
  const { run, unit } = frame
  const { root } = unit
  if (root === undefined) return settle(frame, held, outcome)
  if (root.answered) return concludeLate(frame, held, outcome, root)
  if (outcome.ok && unit.held) for (const next of unit.held) fusedOf(root).begin(run, next, root)
  if (unit.left) root.left = [...(root.left ?? []), ...unit.left]
  fusedOf(root).ended(run, held, outcome)
  run.close()
  return undefined
}

/** Its root was answered meanwhile: it is held outside by now, or as soon as the platform has it. */
async function concludeLate(frame: Frame, held: Held, outcome: Outcome, root: Unit): Promise<void> {
  try {
    await root.handover
  } catch {
    frame.run.close()
    return
  }
  frame.unit.root = undefined
  await settle(frame, held, outcome)
}
