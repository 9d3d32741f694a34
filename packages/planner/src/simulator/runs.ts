import type { Cpu } from './cpu.js'
import { placeIn, type Table } from './draws.js'
import { Event } from './events.js'
import type { EventHeap } from './heap.js'
import { INLINE, Op, type Program, WAIT_FOR_ALL } from './program.js'
import type { Recorder } from './recorder.js'
import type { Sandboxes } from './sandboxes.js'
import { Frame, type Invocation, type Invocations, Pool } from './state.js'

/** What runs are part of, and what they tell of. */
export interface Surroundings {
  program: Program
  /** Its time is the present. */
  heap: EventHeap
  cpu: Cpu
  invocations: Invocations
  sandboxes: Sandboxes
  recorder: Recorder | null
  random: () => number
  draw(table: Float64Array): number
  /** See `SimulatedPlatform.handOver`. */
  together: number
  /** The invocation's task has its result. */
  answered(inv: Invocation, main: Frame): void
  /** Nothing of the invocation goes on. */
  finished(inv: Invocation): void
}

/** Lets tasks follow their scripts inside invocations, and make others. */
export class Runs {
  private readonly frames = new Pool((id) => new Frame(id))

  constructor(private readonly around: Surroundings) {}

  get all(): readonly Frame[] {
    return this.frames.all
  }

  /** The first run of an invocation, or the runs of its bundle. */
  begin(inv: Invocation): void {
    const main = this.frame(inv, inv.task, null)
    inv.main = main
    inv.units = 1
    if (inv.items === 1) {
      this.follow(main, inv.mode === 'send' ? 'send' : 'call', -1)
      return
    }
    main.isPart = true
    main.pc = WAIT_FOR_ALL
    main.open = inv.items
    for (let i = 0; i < inv.items; i++) this.follow(this.frame(inv, inv.task, main), inv.mode, -1)
    this.go(main)
  }

  /** A frame's own work or wait is done. */
  computed(frame: Frame): void {
    const { inv } = frame
    inv.working--
    this.go(frame)
    this.around.sandboxes.mark(inv, this.around.heap.time)
  }

  /** One of those that a frame waits for has ended, in another invocation. */
  wake(frame: Frame): void {
    const { inv } = frame
    this.childEnded(frame)
    this.around.sandboxes.mark(inv, this.around.heap.time)
  }

  private childEnded(frame: Frame): void {
    if (--frame.open > 0 || !frame.joining) return
    frame.joining = false
    this.go(frame)
  }

  private end(frame: Frame): void {
    const { parent, inv } = frame
    if (!frame.isPart) this.around.recorder?.close(inv, frame.span, this.around.heap.time)
    if (parent) {
      if (parent.open === 1) parent.coldMs += frame.coldMs
      this.frames.give(frame)
      this.childEnded(parent)
      return
    }
    if (frame === inv.main) this.around.answered(inv, frame)
    for (let held = frame.held; held; ) {
      const next = held.next
      held.next = null
      inv.units++
      this.around.recorder?.start(inv, held.span, this.around.heap.time)
      this.follow(held, 'send', -1)
      held = next
    }
    this.frames.give(frame)
    if (--inv.units === 0) this.around.finished(inv)
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
    if (this.around.recorder && frame.span < 0)
      frame.span = this.around.recorder.open(frame.inv, parentSpan, frame.task, mode, 'inline', this.around.heap.time)
    frame.pc = this.scriptOf(frame)
    this.go(frame)
  }

  private scriptOf({ inv, task }: Frame): number {
    const { program, random } = this.around
    const usual = program.scripts[task] as Int32Array
    const scripts = inv.coldMs < 0 ? usual : (program.firstScripts[task] as Int32Array)
    if (scripts.length === 1) return scripts[0] as number
    const groups = scripts === usual ? (program.scriptGroups[task] as Int32Array | null) : null
    return scripts[placeIn(groups, scripts.length, inv.recorded, random())] as number
  }

  /** Takes step after step until it has to wait. */
  private go(frame: Frame): void {
    const { op, a, b } = this.around.program
    for (;;) {
      const pc = frame.pc++
      switch (op[pc]) {
        case Op.CPU: {
          const ms = this.duration(pc)
          if (ms <= 0) break
          this.around.recorder?.compute(frame.inv, frame.span, ms)
          frame.inv.working++
          this.around.cpu.add(frame, ms, b[pc] as number, this.around.heap.time)
          return
        }
        case Op.WAIT: {
          frame.inv.working++
          this.around.heap.push(this.around.heap.time + this.duration(pc), frame.id * 8 + Event.WAKE)
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
    const table = this.around.program.a[pc] as number
    return table < 0
      ? (this.around.program.x[pc] as number)
      : this.around.draw(this.around.program.tables[table] as Float64Array)
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
    const callee = this.around.invocations.fresh(task, mode, inv.request, inv.recorded)
    const ms = this.handOverMs(inv, inv.fn.callMs[task] as Table)
    callee.items = items
    callee.backMs = ms / 2
    callee.caller = frame
    callee.pending = 2
    if (this.around.recorder) this.openRemote(frame, callee)
    inv.calling++
    this.around.heap.push(this.around.heap.time + ms / 2, callee.id * 8 + Event.DELIVER)
  }

  private handOverMs(inv: Invocation, { groups, values }: Table): number {
    if (values.length === 1) return values[0] as number
    const { heap, random, together } = this.around
    if (together === 0 || inv.handedAt !== heap.time || random() >= together) inv.handedLuck = random()
    inv.handedAt = heap.time
    return values[placeIn(groups, values.length, inv.recorded, inv.handedLuck)] as number
  }

  private send(frame: Frame, task: number): void {
    const { inv } = frame
    if (((inv.fn.routes[task] as number) & INLINE.send) !== 0) {
      this.hold(frame, task)
      return
    }
    const sent = this.around.invocations.fresh(task, 'send', inv.request, inv.recorded)
    sent.caller = frame
    if (this.around.recorder) this.openRemote(frame, sent)
    frame.open++
    const ms = this.handOverMs(inv, inv.fn.sendMs[task] as Table)
    this.around.heap.push(this.around.heap.time + ms, sent.id * 8 + Event.DELIVER)
  }

  private openRemote(frame: Frame, callee: Invocation): void {
    const { recorder } = this.around
    if (!recorder) return
    callee.callerSpan = recorder.open(frame.inv, frame.span, callee.task, callee.mode, 'remote', this.around.heap.time)
    callee.parentSpan = recorder.idOf(frame, callee.callerSpan)
  }

  /** An inline send begins when what sent it has been answered. Returns its span. */
  private hold(frame: Frame, task: number): number {
    const { inv, unit } = frame
    const held = this.frame(inv, task, null)
    if (this.around.recorder)
      held.span = this.around.recorder.open(inv, frame.span, task, 'send', 'inline', this.around.heap.time)
    if (unit.heldLast) unit.heldLast.next = held
    else unit.held = held
    unit.heldLast = held
    return held.span
  }

  /** What triggers start begins in this invocation, if its function evaluates the bucket, else once the object was handed over. */
  private put(frame: Frame, bucket: number, index: number): void {
    const { inv } = frame
    const { recorder } = this.around
    recorder?.put(inv, frame.span, bucket)
    const fused = inv.fn.buckets[bucket] === 1
    const ms = this.handOverMs(inv, inv.fn.putMs)
    for (const { task, trigger } of this.around.program.starts[index] as Program['starts'][number]) {
      if (fused && ((inv.fn.routes[task] as number) & INLINE.send) !== 0) {
        const span = this.hold(frame, task)
        recorder?.firedInline(inv, span, bucket, trigger)
        continue
      }
      const started = this.around.invocations.fresh(task, 'send', inv.request, inv.recorded)
      if (recorder) {
        started.parentSpan = recorder.idOf(frame, frame.span)
        started.fired = recorder.fired(bucket, trigger, ms)
      }
      this.around.heap.push(this.around.heap.time + ms, started.id * 8 + Event.DELIVER)
    }
    if (fused) return
    frame.open++
    this.around.heap.push(this.around.heap.time + ms, frame.id * 8 + Event.PUT)
  }
}
