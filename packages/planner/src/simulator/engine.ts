import { arrivalTimes } from './arrivals.js'
import { Cpu } from './cpu.js'
import { placeIn, type Table } from './draws.js'
import { Event } from './events.js'
import { EventHeap } from './heap.js'
import type { Program } from './program.js'
import type { Recorder } from './recorder.js'
import { Runs } from './runs.js'
import { Sandboxes } from './sandboxes.js'
import { type Frame, type Invocation, Invocations, type Sandbox } from './state.js'
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
  private readonly invocations: Invocations
  private readonly sandboxes: Sandboxes
  private readonly statistics: Statistics
  private readonly cpu: Cpu
  private readonly runs: Runs
  private readonly random: () => number
  private readonly recorder: Recorder | null
  private readonly gatewayMs: Table
  private readonly recordedRequests: Program['requests']
  private readonly warmUp: number
  private readonly nextArrival: () => number
  private requests = 0
  private now = 0

  constructor(
    private readonly setting: Setting,
    gatewayMs: Table,
  ) {
    const { program, platform, options, recorder, random } = setting
    this.invocations = new Invocations(program)
    this.random = random.rest
    this.recorder = recorder
    this.gatewayMs = gatewayMs
    this.recordedRequests = program.requests
    this.warmUp = options.warmUpRequests ?? 0
    this.nextArrival = arrivalTimes(options.arrivals, random.arrivals)
    this.statistics = new Statistics(program, platform, options)
    this.cpu = new Cpu(platform, this.heap, random.rest, (frame) => this.runs.computed(frame))
    this.sandboxes = new Sandboxes(
      platform,
      program,
      (inv, coldMs) => this.place(inv, coldMs),
      (table) => this.draw(table),
    )
    this.runs = new Runs({
      program,
      heap: this.heap,
      cpu: this.cpu,
      invocations: this.invocations,
      sandboxes: this.sandboxes,
      recorder,
      random: random.rest,
      draw: (table) => this.draw(table),
      together: platform.handOver.together ?? 0,
      answered: (inv, main) => this.answer(inv, main),
      finished: (inv) => this.finish(inv),
    })
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
    const { invocations, runs, sandboxes, now } = this
    if (kind === Event.CPU) this.cpu.at(sandboxes.all[id] as Sandbox, now)
    else if (kind === Event.DELIVER) this.deliver(invocations.all[id] as Invocation)
    else if (kind === Event.REPLY) this.replied(invocations.all[id] as Invocation)
    else if (kind === Event.WAKE) this.runs.computed(runs.all[id] as Frame)
    else if (kind === Event.READY) this.begin(invocations.all[id] as Invocation)
    else if (kind === Event.PUT) this.runs.wake(runs.all[id] as Frame)
    else if (kind === Event.FREE) this.leave(invocations.all[id] as Invocation)
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
    const known = this.recordedRequests[entry] as Int32Array | null
    const recorded = known ? this.draw(known) : -1
    const inv = this.invocations.fresh(entry, 'call', this.requests++, recorded)
    const { values, groups } = this.gatewayMs
    const ms = (
      values.length === 1 ? values[0] : values[placeIn(groups, values.length, recorded, this.random())]
    ) as number
    inv.arrivedAt = this.now
    inv.backMs = ms / 2
    if (inv.request >= this.warmUp) this.statistics.request(inv.request, this.now)
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
    this.runs.wake(sender)
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
    inv.idleSince = -1
    this.recorder?.begin(inv)
    this.runs.begin(inv)
    this.sandboxes.mark(inv, now)
  }

  private draw(table: Float64Array | Int32Array): number {
    return (table.length === 1 ? table[0] : table[(this.random() * table.length) | 0]) as number
  }

  private replied(inv: Invocation): void {
    const frame = inv.caller as Frame
    inv.caller = null
    frame.inv.calling--
    this.recorder?.close(frame.inv, inv.callerSpan, this.now)
    if (frame.open === 1) frame.coldMs += inv.criticalMs
    this.release(inv)
    this.runs.wake(frame)
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
    this.statistics.reply(inv.request, inv.task, latencyMs, inv.criticalMs)
    this.setting.options.onReply?.(inv.request, inv.arrivedAt, latencyMs)
  }

  /** Nothing of the invocation goes on, but what its runtime has to do waits until the sandbox may compute again. */
  private finish(inv: Invocation): void {
    const freeAt = this.cpu.freeAt(inv.sandbox as Sandbox, this.now)
    if (freeAt > this.now) this.heap.push(freeAt, inv.id * 8 + Event.FREE)
    else this.leave(inv)
  }

  private leave(inv: Invocation): void {
    const { now } = this
    this.sandboxes.leave(inv, now)
    if (inv.request >= this.warmUp) {
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
