import { arrivalTimes } from './arrivals.js'
import { Cpu } from './cpu.js'
import { Event } from './events.js'
import { EventHeap } from './heap.js'
import { INLINE, Op, type Program, WAIT_FOR_ALL } from './program.js'
import type { Recorder } from './recorder.js'
import { Sandboxes } from './sandboxes.js'
import { Frame, type Invocation, Invocations, Pool, type Sandbox } from './state.js'
import { Statistics } from './statistics.js'
import type { SimulatedPlatform, SimulationOptions, SimulationResult } from './types.js'

/** What a simulation runs on, all of it in numbers. */
export interface Setting {
  program: Program
  platform: SimulatedPlatform
  options: SimulationOptions
  /** Ids of the tasks that requests ask for, and their shares added up. */
  entries: { ids: Int32Array; upTo: Float64Array }
  recorder: Recorder | null
  /** Of arrivals, so that they are the same in every setup, and of all else. */
  random: { arrivals: () => number; rest: () => number }
}

/** One simulation: takes the earliest event, lets what it concerns go on until it waits again, and so on. */
export class Engine {
  private readonly heap = new EventHeap()
  private readonly frames = new Pool((id) => new Frame(id))
  private readonly invocations: Invocations
  private readonly sandboxes: Sandboxes
  private readonly statistics: Statistics
  private readonly cpu: Cpu
  private readonly program: Program
  private readonly random: () => number
  private readonly recorder: Recorder | null
  private readonly gatewayMs: Float64Array
  private readonly warmUp: number
  private readonly nextArrival: () => number
  private requests = 0
  private now = 0

  constructor(
    private readonly setting: Setting,
    gatewayMs: Float64Array,
  ) {
    const { program, platform, options, recorder, random } = setting
    this.program = program
    this.invocations = new Invocations(program)
    this.random = random.rest
    this.recorder = recorder
    this.gatewayMs = gatewayMs
    this.warmUp = options.warmUpRequests ?? 0
    this.nextArrival = arrivalTimes(options.arrivals, random.arrivals)
    this.statistics = new Statistics(program, platform)
    this.cpu = new Cpu(platform, this.heap, random.rest, (frame) => this.computed(frame))
    this.sandboxes = new Sandboxes(
      platform,
      program,
      (inv, coldMs) => this.place(inv, coldMs),
      (table) => this.draw(table),
    )
  }

  run(): SimulationResult {
    const { heap, sandboxes, statistics } = this
    this.expectArrival()
    while (heap.size > 0) {
      const event = heap.pop()
      this.now = heap.time
      this.handle(event & 7, event >> 3)
      if (sandboxes.queued > 0) sandboxes.admit(this.now)
    }
    statistics.longestQueue = sandboxes.longestQueue
    statistics.mostSandboxes = sandboxes.most
    return statistics.result()
  }

  private handle(kind: number, id: number): void {
    const { frames, invocations, sandboxes, now } = this
    if (kind === Event.CPU) this.cpu.at(sandboxes.all[id] as Sandbox, now)
    else if (kind === Event.DELIVER) this.deliver(invocations.all[id] as Invocation)
    else if (kind === Event.REPLY) this.replied(invocations.all[id] as Invocation)
    else if (kind === Event.WAKE) this.computed(frames.all[id] as Frame)
    else if (kind === Event.READY) this.begin(invocations.all[id] as Invocation)
    else if (kind === Event.PUT) this.wake(frames.all[id] as Frame)
    else this.arrive()
  }

  private expectArrival(): void {
    const at = this.nextArrival()
    if (Number.isNaN(at)) return
    if (at < this.now) throw new RangeError(`arrivals must ascend, but ${at} ms comes after ${this.now} ms`)
    this.heap.push(at, Event.ARRIVE)
  }

  private arrive(): void {
    const entry = this.entryOf()
    const inv = this.invocations.fresh(entry, 'call', this.requests++)
    const ms = this.draw(this.gatewayMs)
    inv.arrivedAt = this.now
    inv.backMs = ms / 2
    if (inv.request === this.warmUp) this.statistics.firstMs = this.now
    if (inv.request >= this.warmUp) this.statistics.requests++
    if (ms > 0) this.heap.push(this.now + ms / 2, inv.id * 8 + Event.DELIVER)
    else this.deliver(inv)
    this.expectArrival()
  }

  private entryOf(): number {
    const { ids, upTo } = this.setting.entries
    let entry = 0
    if (ids.length > 1) {
      const x = this.setting.random.arrivals()
      while ((upTo[entry] as number) <= x) entry++
    }
    return ids[entry] as number
  }

  /** The platform has it; of a send, the caller knows. */
  private deliver(inv: Invocation): void {
    const { caller, callerSpan } = inv
    inv.deliveredAt = this.now
    if (inv.mode === 'send') inv.caller = null
    const sender = inv.mode === 'send' ? caller : null
    this.sandboxes.request(inv, this.now)
    if (!sender) return
    this.recorder?.close(sender.inv, callerSpan, this.now)
    this.wake(sender)
  }

  /** A sandbox has room for it; when it has to start first, it takes `coldMs` (else -1). */
  private place(inv: Invocation, coldMs: number): void {
    inv.coldMs = coldMs
    const waitedMs = this.now - inv.deliveredAt
    if (waitedMs > 0 && inv.request >= this.warmUp) this.statistics.waited(waitedMs)
    if (coldMs < 0) this.begin(inv)
    else this.heap.push(this.now + coldMs, inv.id * 8 + Event.READY)
  }

  private begin(inv: Invocation): void {
    const { now } = this
    if (inv.coldMs >= 0 && inv.sandbox) this.cpu.reset(inv.sandbox, now)
    inv.start = now
    inv.units = 1
    inv.idleSince = -1
    this.recorder?.begin(inv)
    const main = this.frame(inv, inv.task, null)
    inv.main = main
    if (inv.items === 1) {
      this.follow(main, inv.mode === 'send' ? 'send' : 'call', -1)
    } else {
      main.isPart = true
      main.pc = WAIT_FOR_ALL
      main.open = inv.items
      for (let i = 0; i < inv.items; i++) this.follow(this.frame(inv, inv.task, main), inv.mode, -1)
      this.go(main)
    }
    this.sandboxes.mark(inv, now)
  }

  private frame(inv: Invocation, task: number, parent: Frame | null): Frame {
    const frame = this.frames.take()
    frame.inv = inv
    frame.task = task
    frame.parent = parent
    frame.unit = parent ? parent.unit : frame
    frame.held = null
    frame.heldLast = null
    frame.open = 0
    frame.joining = false
    frame.isPart = false
    frame.coldMs = 0
    frame.span = -1
    return frame
  }

  /** Begins a run of the frame's task: one of its scripts. */
  private follow(frame: Frame, mode: Invocation['mode'], parentSpan: number): void {
    if (this.recorder && frame.span < 0)
      frame.span = this.recorder.open(frame.inv, parentSpan, frame.task, mode, 'inline', this.now)
    const { scripts: usual, firstScripts } = this.program
    const scripts = (frame.inv.coldMs < 0 ? usual : firstScripts)[frame.task] as Int32Array
    frame.pc = (scripts.length === 1 ? scripts[0] : scripts[(this.random() * scripts.length) | 0]) as number
    this.go(frame)
  }

  /** Takes step after step until it has to wait. */
  private go(frame: Frame): void {
    const { op, a, b } = this.program
    for (;;) {
      const pc = frame.pc++
      switch (op[pc]) {
        case Op.CPU: {
          const ms = this.duration(pc)
          if (ms <= 0) break
          this.recorder?.compute(frame.inv, frame.span, ms)
          frame.inv.working++
          this.cpu.add(frame, ms, b[pc] as number, this.now)
          return
        }
        case Op.WAIT: {
          frame.inv.working++
          this.heap.push(this.now + this.duration(pc), frame.id * 8 + Event.WAKE)
          return
        }
        case Op.CALL:
          this.call(frame, a[pc] as number)
          break
        case Op.MAP:
          this.map(frame, a[pc] as number, b[pc] as number)
          break
        case Op.SEND:
          this.send(frame, a[pc] as number)
          break
        case Op.PUT:
          this.put(frame, a[pc] as number, b[pc] as number)
          break
        case Op.LANE: {
          const lane = this.frame(frame.inv, frame.task, frame)
          lane.span = frame.span
          lane.isPart = true
          lane.pc = a[pc] as number
          frame.open++
          this.go(lane)
          break
        }
        case Op.JOIN:
          if (frame.open > 0) {
            frame.joining = true
            return
          }
          break
        default:
          this.end(frame)
          return
      }
    }
  }

  private duration(pc: number): number {
    const table = this.program.a[pc] as number
    return table < 0 ? (this.program.x[pc] as number) : this.draw(this.program.tables[table] as Float64Array)
  }

  private draw(table: Float64Array): number {
    return (table.length === 1 ? table[0] : table[(this.random() * table.length) | 0]) as number
  }

  private call(frame: Frame, task: number): void {
    frame.open++
    if (((frame.inv.fn.routes[task] as number) & INLINE.call) !== 0) {
      this.follow(this.frame(frame.inv, task, frame), 'call', frame.span)
      return
    }
    this.handOver(frame, task, 'call', 1)
  }

  private map(frame: Frame, task: number, items: number): void {
    const { fn } = frame.inv
    if (((fn.routes[task] as number) & INLINE.map) !== 0) {
      frame.open += items
      for (let i = 0; i < items; i++) this.follow(this.frame(frame.inv, task, frame), 'map', frame.span)
      return
    }
    const bundle = fn.bundles[task] as number
    for (let left = items; left > 0; left -= bundle) {
      frame.open++
      this.handOver(frame, task, 'map', Math.min(left, bundle))
    }
  }

  /** Half of the hand-over is before the callee, half after its reply. */
  private handOver(frame: Frame, task: number, mode: 'call' | 'map', items: number): void {
    const { inv } = frame
    const callee = this.invocations.fresh(task, mode, inv.request)
    const ms = this.draw(inv.fn.callMs)
    callee.items = items
    callee.backMs = ms / 2
    callee.caller = frame
    callee.pending = 2
    if (this.recorder) this.openRemote(frame, callee)
    inv.calling++
    this.heap.push(this.now + ms / 2, callee.id * 8 + Event.DELIVER)
  }

  private send(frame: Frame, task: number): void {
    const { inv } = frame
    if (((inv.fn.routes[task] as number) & INLINE.send) !== 0) {
      this.hold(frame, task)
      return
    }
    const sent = this.invocations.fresh(task, 'send', inv.request)
    sent.caller = frame
    if (this.recorder) this.openRemote(frame, sent)
    frame.open++
    this.heap.push(this.now + this.draw(inv.fn.sendMs), sent.id * 8 + Event.DELIVER)
  }

  private openRemote(frame: Frame, callee: Invocation): void {
    const { recorder } = this
    if (!recorder) return
    callee.callerSpan = recorder.open(frame.inv, frame.span, callee.task, callee.mode, 'remote', this.now)
    callee.parentSpan = recorder.idOf(frame, callee.callerSpan)
  }

  /** An inline send begins when what sent it has been answered. Returns its span. */
  private hold(frame: Frame, task: number): number {
    const { inv, unit } = frame
    const held = this.frame(inv, task, null)
    if (this.recorder) held.span = this.recorder.open(inv, frame.span, task, 'send', 'inline', this.now)
    if (unit.heldLast) unit.heldLast.next = held
    else unit.held = held
    unit.heldLast = held
    return held.span
  }

  /** What triggers start begins in this invocation, if its function evaluates the bucket, else once the object was handed over. */
  private put(frame: Frame, bucket: number, index: number): void {
    const { inv } = frame
    const { recorder } = this
    recorder?.put(inv, frame.span, bucket)
    const fused = inv.fn.buckets[bucket] === 1
    const ms = this.draw(inv.fn.sendMs)
    for (const { task, trigger } of this.program.starts[index] as Program['starts'][number]) {
      if (fused && ((inv.fn.routes[task] as number) & INLINE.send) !== 0) {
        const span = this.hold(frame, task)
        recorder?.firedInline(inv, span, bucket, trigger)
        continue
      }
      const started = this.invocations.fresh(task, 'send', inv.request)
      if (recorder) {
        started.parentSpan = recorder.idOf(frame, frame.span)
        started.fired = recorder.fired(bucket, trigger, ms)
      }
      this.heap.push(this.now + ms, started.id * 8 + Event.DELIVER)
    }
    if (fused) return
    frame.open++
    this.heap.push(this.now + ms, frame.id * 8 + Event.PUT)
  }

  /** A frame's own work or wait is done. */
  private computed(frame: Frame): void {
    const { inv } = frame
    inv.working--
    this.go(frame)
    this.sandboxes.mark(inv, this.now)
  }

  /** One of those that a frame waits for has ended, in another invocation. */
  private wake(frame: Frame): void {
    const { inv } = frame
    this.childEnded(frame)
    this.sandboxes.mark(inv, this.now)
  }

  private childEnded(frame: Frame): void {
    if (--frame.open > 0 || !frame.joining) return
    frame.joining = false
    this.go(frame)
  }

  private replied(inv: Invocation): void {
    const frame = inv.caller as Frame
    inv.caller = null
    frame.inv.calling--
    this.recorder?.close(frame.inv, inv.callerSpan, this.now)
    if (frame.open === 1) frame.coldMs += inv.criticalMs
    this.release(inv)
    this.wake(frame)
  }

  private end(frame: Frame): void {
    const { parent, inv } = frame
    if (!frame.isPart) this.recorder?.close(inv, frame.span, this.now)
    if (parent) {
      if (parent.open === 1) parent.coldMs += frame.coldMs
      this.frames.give(frame)
      this.childEnded(parent)
      return
    }
    if (frame === inv.main) this.answer(inv, frame)
    for (let held = frame.held; held; ) {
      const next = held.next
      held.next = null
      inv.units++
      this.recorder?.start(inv, held.span, this.now)
      this.follow(held, 'send', -1)
      held = next
    }
    this.frames.give(frame)
    if (--inv.units === 0) this.finish(inv)
  }

  private answer(inv: Invocation, main: Frame): void {
    const { now } = this
    inv.main = null
    inv.criticalMs = main.coldMs + (inv.coldMs > 0 ? inv.coldMs : 0)
    if (inv.record) inv.record.reply = now - inv.start
    if (inv.caller) {
      this.heap.push(now + inv.backMs, inv.id * 8 + Event.REPLY)
      return
    }
    if (inv.mode === 'send' || inv.request < this.warmUp) return
    const latencyMs = now + inv.backMs - inv.arrivedAt
    this.statistics.reply(inv.task, latencyMs, inv.criticalMs)
    this.setting.options.onReply?.(inv.request, inv.arrivedAt, latencyMs)
  }

  /** Nothing of the invocation goes on. */
  private finish(inv: Invocation): void {
    const { now } = this
    this.sandboxes.leave(inv, now)
    if (inv.request >= this.warmUp) {
      this.statistics.endMs = now
      this.statistics.end(inv, now)
      if (inv.record) {
        inv.record.wall = now - inv.start
        this.setting.options.onRecord?.(inv.record)
      }
    }
    this.release(inv)
  }

  private release(inv: Invocation): void {
    if (--inv.pending === 0) this.invocations.give(inv)
  }
}
