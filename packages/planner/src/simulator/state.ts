import type { InvocationRecord } from 'fusionize/record'
import type { Program, SimulatedFunction } from './program.js'

/** A line of control: a run of a task, or one of the lanes of a run. Used again when it has ended. */
export class Frame {
  task = 0
  /** The step that comes next. */
  pc = 0
  inv!: Invocation
  /** Who waits for its end; null for the first frame of a unit. */
  parent: Frame | null = null
  /** The first frame of the unit that it belongs to: a task and what it calls inline, which is answered as a whole. */
  unit!: Frame
  /** Inline sends that begin when the unit has ended. Of a unit's first frame. */
  held: Frame | null = null
  heldLast: Frame | null = null
  /** What was started and has not ended. */
  open = 0
  /** Stands at a JOIN. */
  joining = false
  /** Of the invocation's record. */
  span = -1
  /** It has no span of its own: a lane, and what waits for a bundle. */
  isPart = false
  /** Start-up ms on the way to where it is. */
  coldMs = 0
  /** Core ms that it still has to compute, the cores it can use at a time, and those that it uses now. */
  restMs = 0
  threads = 1
  rate = 0
  /** In the list that it is in: held sends, a sandbox's turns, free frames. */
  next: Frame | null = null
  constructor(readonly id: number) {}
}

/** One invocation of a function. Used again when it has ended and its caller has the reply. */
export class Invocation {
  number = 0
  request = 0
  /** Number of the recorded request that it follows; -1: none. */
  recorded = -1
  /** Task that it was asked to run, and how often. */
  task = 0
  items = 1
  mode: 'call' | 'send' | 'map' = 'call'
  fn!: SimulatedFunction
  sandbox: Sandbox | null = null
  caller: Frame | null = null
  /** Of the caller, while it waits. */
  callerSpan = -1
  /** Rest of the hand-over: from the reply to the caller. */
  backMs = 0
  /** Of an external request, at the client. */
  arrivedAt = 0
  /** At the platform: from here on it waits for a sandbox. */
  deliveredAt = 0
  start = 0
  /** Start-up ms; -1 when warm. */
  coldMs = -1
  /** Start-up ms on the way to its reply. */
  criticalMs = 0
  /** Units that have not ended. */
  units = 0
  /** The reply and the end, as far as they are to come. */
  pending = 0
  /** Frames at work: computing, or waiting for what is no call. */
  working = 0
  /** Remote calls and items of maps under way. */
  calling = 0
  /** Pays for waiting alone, since; total. */
  idleSince = -1
  doubleMs = 0
  /** When it last handed over, and the place in its distribution that this had. */
  handedAt = -1
  handedLuck = 0
  main: Frame | null = null
  record: InvocationRecord | null = null
  parentSpan: string | null = null
  fired: InvocationRecord['fired'] | undefined = undefined
  next: Invocation | null = null
  constructor(readonly id: number) {}
}

/** An execution environment of one function. Used again, for any function, when it is gone. */
export class Sandbox {
  fn!: SimulatedFunction
  number = 0
  active = 0
  /** Invocations that only wait for calls. */
  waiting = 0
  idleSince = 0
  /** Can take another invocation, and is in its function's list. */
  listed = false
  /** Frames that compute now, and those that wait for their turn. */
  readonly jobs: Frame[] = []
  turns: Frame | null = null
  turnsLast: Frame | null = null
  loopBusy = false
  /** When `restMs` of its jobs and `quotaMs` were right. */
  settledAt = 0
  /** Cores that its jobs use together. */
  rate = 0
  /** Cores that it may use now. */
  supply = 0
  /** When something changes by itself; Infinity: never. Events for other times are out of date. */
  due = Number.POSITIVE_INFINITY
  /** Cores that its quota gives it. */
  vcpus = 0
  /** Core ms left in the period that ends at `refillAt`, and what its cores have taken of them; below 0 they owe. */
  quotaMs = 0
  takenMs = 0
  refillAt = 0
  /** Stopped until a period has paid. */
  stopped = false
  /** When it last had nothing more to compute, and a tick of the timer. */
  restedAt = 0
  tickAt = 0
  /** Position among those that compute on a shared node; -1: not among them. */
  place = -1
  next: Sandbox | null = null
  constructor(readonly id: number) {}
}

/** Objects by id, with those that are free. */
export class Pool<T extends { id: number; next: T | null }> {
  readonly all: T[] = []
  private free: T | null = null

  constructor(private readonly make: (id: number) => T) {}

  take(): T {
    const free = this.free
    if (free) {
      this.free = free.next
      free.next = null
      return free
    }
    const made = this.make(this.all.length)
    this.all.push(made)
    return made
  }

  give(item: T): void {
    item.next = this.free
    this.free = item
  }
}

/** Invocations, numbered in the order in which they were made. */
export class Invocations extends Pool<Invocation> {
  private made = 0

  constructor(private readonly program: Program) {
    super((id) => new Invocation(id))
  }

  fresh(task: number, mode: Invocation['mode'], request: number, recorded: number): Invocation {
    const inv = this.take()
    inv.number = ++this.made
    inv.request = request
    inv.recorded = recorded
    inv.task = task
    inv.items = 1
    inv.mode = mode
    inv.fn = this.program.functions[task] as SimulatedFunction
    inv.caller = null
    inv.coldMs = -1
    inv.criticalMs = 0
    inv.doubleMs = 0
    inv.handedAt = -1
    inv.pending = 1
    inv.record = null
    inv.parentSpan = null
    inv.fired = undefined
    return inv
  }
}
