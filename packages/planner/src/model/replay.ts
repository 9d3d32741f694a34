import { lambdaMbPerCore } from 'fusionize/prices'
import { type Interval, subtract, union } from '../statistics/intervals.js'
import { type HandOverKind, recordedKind } from './hand-over.js'
import { NO_PERIOD_MS, PERIOD_MS, quotaMs, stopMs } from './law.js'
import type { Routes } from './routes.js'
import { type Clock, emptyClock, poolWidth, turns, waitsOf } from './side-by-side.js'
import type { Times } from './times.js'
import type { Node, Step, Tree } from './tree.js'
import type { PredictOptions } from './types.js'

/** An invocation as it would have been. */
export interface ReplayedInvocation {
  function: string
  memoryMb: number
  /** Ms since the request's arrival. */
  startMs: number
  wallMs: number
  billedMs: number
  initMs: number
  cold: boolean
  /** Of the wall time, ms in which it only waited for another function; 0 unless asked for. */
  doubleBilledMs: number
}

export interface Replayed {
  latencyMs: number
  invocations: ReplayedInvocation[]
}

export interface ReplayContext {
  routes: Routes
  times: Times
  options: PredictOptions
  /** Whether an invocation starts a sandbox. @param node what it is for */
  isCold: (fn: string, node: Node) => boolean
  /** Start-up of a sandbox of a function, ms, where the invocation was warm when it was recorded. */
  initMs: (fn: string) => number
  random: () => number
  /** Ms that a call takes longer when it becomes its warm invocation's first hand-over. @default 0 */
  firstExtraMs?: (callee: Node) => number
  /**
   * How the computing of calls that became inline side by side lies: as far as it can in each other's waiting, or all at the same time, after the waiting.
   * @default 'spread'
   */
  computing?: 'spread' | 'together'
  /** Told of the invocations that wait, for METRICS' double billing. @default false */
  doubleBilling?: boolean
}

/** What runs in one invocation. */
interface Sandbox {
  fn: string
  memoryMb: number
  cold: boolean
  /** Of each recorded invocation's share in it, how much of its first-use time remains. */
  firstUse: Map<number, number>
  /** Ms since the request's arrival at which its first remote call had been made. */
  calledMs: number
  /** Where it is at work, and where it waits for others, ms since the request's arrival; absent unless asked for. */
  clock?: Clock
}

/** Ms from a run's start. */
interface Ran {
  /** Until its result. */
  spanMs: number
  /** Until the inline sends that it left behind have ended, if they run at once. */
  sendsMs: number
  /** How long they take if they run when all else is done. */
  sendSpanMs: number
  /** Of computing that needs the sandbox's cores, before the result and in inline sends. */
  loadMs: number
  sendLoadMs: number
  /** Of inline sends: ms in which nothing but another function was at work. */
  sendWaitsMs: number
}

/**
 * Runs a recorded request again under another setup (DESIGN §8): the same calls in the same order of dependence, with other times. An inline call
 * loses its hand-over and its invocation, a remote one gets a hand-over; work scales with memory; what computes side by side in one sandbox shares
 * its cores: an invocation takes at least as long as its path and as all its computing.
 */
export function replay(tree: Tree, context: ReplayContext): Replayed {
  const { routes, times, options, random } = context
  const { mbPerCore = lambdaMbPerCore, inlineSends = 'after-reply' } = options
  const invocations: ReplayedInvocation[] = []
  const periodMs = Math.max(NO_PERIOD_MS, options.periodMs ?? PERIOD_MS)
  const fair = times.fairShares(tree)
  const nodeAt = (index: number) => tree.nodes[index] as Node
  const isInline = (fn: string, step: Step) => routes.isInline(fn, step, nodeAt(step.child))

  const run = (node: Node, sandbox: Sandbox, startMs: number): Ran => {
    const { workMs, firstUseMs } = firstRun(node, sandbox)
    const ownMs = workMs + firstUseMs
    const stretch = node.ownMs > 0 ? ownMs / node.ownMs : 0
    const ran: Ran = {
      spanMs: 0,
      sendsMs: 0,
      sendSpanMs: 0,
      loadMs: times.load(node.task, ownMs, sandbox.memoryMb) * (fair.get(node.invocation) ?? 1),
      sendLoadMs: 0,
      sendWaitsMs: 0,
    }
    const ends: number[] = []
    let lastEnd = 0
    const { clock } = sandbox
    const opened: Interval[] = []
    const inTurn = turns(stopMs(sandbox.memoryMb, 1, mbPerCore, periodMs), context.computing === 'together')
    for (const [k, step] of node.steps.entries()) {
      const child = nodeAt(step.child)
      const from = step.after.reduce((latest, j) => Math.max(latest, ends[j] as number), 0)
      const at = from + step.gapMs * stretch
      let end = at
      let waits = step.awaited
      if (!isInline(sandbox.fn, step)) {
        const handOver = handOverOf(node, step, sandbox, startMs + at)
        const lagMs = step.route === 'remote' ? step.lagMs : step.mode === 'send' ? handOver.ms : handOver.ms / 2
        const replyMs = invoke(child, startMs + at + lagMs, handOver.calleeCold)
        end = at + handOver.ms + (step.mode === 'send' ? 0 : replyMs)
        if (step.mode !== 'send') clock?.waits.push([startMs + at, startMs + end])
        sandbox.calledMs = Math.min(sandbox.calledMs, startMs + end)
        waits = waits || step.route === 'inline'
      } else {
        // What is left for after the reply has a time of its own.
        const afterwards = clock && step.mode === 'send' ? emptyClock() : undefined
        if (afterwards) sandbox.clock = afterwards
        const inner = run(child, sandbox, startMs + at)
        if (clock && afterwards) {
          sandbox.clock = clock
          ran.sendWaitsMs += inner.sendWaitsMs + waitsOf(afterwards, inner.loadMs)
        } else ran.sendWaitsMs += inner.sendWaitsMs
        ran.sendsMs = Math.max(ran.sendsMs, at + inner.sendsMs)
        ran.sendLoadMs += inner.sendLoadMs
        ran.sendSpanMs = Math.max(
          ran.sendSpanMs,
          inner.sendSpanMs + (step.mode === 'send' ? inner.spanMs + extraMs(child, sandbox.memoryMb) : 0),
        )
        if (step.mode === 'send') {
          ran.sendsMs = Math.max(ran.sendsMs, at + inner.spanMs)
          // The handler around an inline send does what it does around a remote one.
          ran.sendLoadMs += inner.loadMs + extraMs(child, sandbox.memoryMb)
        } else {
          end =
            at + inner.spanMs + (step.route === 'remote' && isRested(node, sandbox) ? unrestedMs(child, sandbox) : 0)
          // Items that compute have threads of their own, as many as there are cores.
          const loadMs = step.mode === 'map' ? inner.loadMs / poolWidth(sandbox.memoryMb, mbPerCore) : inner.loadMs
          ran.loadMs += loadMs
          end = inTurn(at, end, loadMs, step.route === 'remote')
        }
      }
      ends[k] = end
      if (clock && end > at) opened.push([startMs + at, startMs + end])
      if (waits) lastEnd = Math.max(lastEnd, end)
    }
    ran.spanMs = lastEnd + (node.ownMs > 0 ? node.tailMs * stretch : ownMs)
    clock?.work.push(...subtract([startMs, startMs + ran.spanMs], union(opened)))
    return ran
  }

  /** @returns time to the reply, ms */
  const invoke = (node: Node, startMs: number, cold: boolean): number => {
    const fn = node.task
    const memoryMb = memoryOf(fn, node)
    const sandbox: Sandbox = { fn, memoryMb, cold, firstUse: new Map(), calledMs: Number.POSITIVE_INFINITY }
    if (context.doubleBilling) sandbox.clock = emptyClock()
    if (cold) sandbox.firstUse = sharedFirstUse(node, sandbox)
    const index =
      invocations.push({
        function: fn,
        memoryMb,
        startMs,
        wallMs: 0,
        billedMs: 0,
        initMs: 0,
        cold,
        doubleBilledMs: 0,
      }) - 1
    const ran = run(node, sandbox, startMs)
    const awaits = inlineSends === 'awaited'
    const restedMs = stopMs(memoryMb, 1, mbPerCore, periodMs)
    const alone = Math.max(ran.spanMs, ran.loadMs - restedMs)
    const sendsEndMs = awaits ? ran.sendsMs : Math.max(ran.sendsMs, alone + ran.sendSpanMs)
    const everything = Math.max(alone, sendsEndMs, ran.loadMs + ran.sendLoadMs - restedMs)
    const replyMs = awaits ? everything : alone
    const wallMs = Math.max(replyMs + extraMs(node, memoryMb), everything)
    const initMs = cold ? (node.cold && node.isHead ? node.initMs : context.initMs(fn)) : 0
    Object.assign(invocations[index] as ReplayedInvocation, {
      wallMs,
      billedMs: Math.max(0, wallMs + node.billedExtraMs * times.slower(node.memoryMb ?? memoryMb, memoryMb)),
      initMs,
      doubleBilledMs: sandbox.clock ? waitsOf(sandbox.clock, ran.loadMs) + ran.sendWaitsMs : 0,
    })
    return replyMs
  }

  const extraMs = (node: Node, memoryMb: number) => node.extraMs * times.slower(node.memoryMb ?? memoryMb, memoryMb)

  const memoryOf = (fn: string, node: Node): number => {
    const memory = routes.memoryOf(fn, node)
    if (memory === undefined) throw new RangeError(`the setup has no function ${fn}, and no trace tells its memory`)
    return memory
  }

  const firstRun = (node: Node, sandbox: Sandbox) => {
    const own = times.own(node, sandbox.memoryMb)
    if (!sandbox.cold) return { workMs: own.workMs, firstUseMs: 0 }
    return { workMs: own.workMs, firstUseMs: firstUseOf(node, sandbox) * (sandbox.firstUse.get(node.invocation) ?? 1) }
  }

  const firstUseOf = (node: Node, { memoryMb }: Sandbox) =>
    node.cold ? times.own(node, memoryMb).firstUseMs : times.firstUse(node.task, memoryMb)

  /**
   * A wait gives what follows it a fresh quota. An inline call gives none: if it had used up more than one, what follows it begins with a stop. Times
   * at other sizes than the recorded come from setups that were fused already, or from a law that leaves out whole stops.
   */
  const isRested = (caller: Node, { memoryMb }: Sandbox) =>
    caller.memoryMb === undefined || caller.memoryMb === memoryMb
  const unrestedMs = (child: Node, sandbox: Sandbox): number => {
    const { workMs } = times.own(child, sandbox.memoryMb)
    const quotas = times.coreMs(child.task, workMs, sandbox.memoryMb) / quotaMs(sandbox.memoryMb, mbPerCore, periodMs)
    return stopMs(sandbox.memoryMb, 1, mbPerCore, periodMs) * Math.min(1, Math.max(0, quotas - 1))
  }

  /**
   * Loading code and opening clients is done once in a sandbox, so tasks that come together pay the most that one of them pays. Those that were
   * recorded together have already shared.
   */
  const sharedFirstUse = (head: Node, sandbox: Sandbox): Map<number, number> => {
    const sums = new Map<number, number>()
    const visit = (node: Node) => {
      sums.set(node.invocation, (sums.get(node.invocation) ?? 0) + firstUseOf(node, sandbox))
      for (const step of node.steps) if (isInline(sandbox.fn, step)) visit(nodeAt(step.child))
    }
    visit(head)
    let paid = 0
    const shares = new Map<number, number>()
    for (const [invocation, sum] of sums) {
      shares.set(invocation, sum <= 0 ? 1 : Math.max(0, sum - paid) / sum)
      paid = Math.max(paid, sum)
    }
    return shares
  }

  /** @param atMs ms since the request's arrival */
  const handOverOf = (
    caller: Node,
    step: Step,
    sandbox: Sandbox,
    atMs: number,
  ): { ms: number; calleeCold: boolean } => {
    const callee = nodeAt(step.child)
    const calleeCold = context.isCold(callee.task, callee)
    const recorded = recordedKind(tree.nodes, caller, step)
    const kind: HandOverKind = {
      from: caller.task,
      to: callee.task,
      mode: step.mode,
      memoryMb: sandbox.memoryMb,
      callerCold: sandbox.cold,
      calleeCold,
    }
    const ms = times.handOver(kind, recorded && { ms: step.handOverMs, kind: recorded, step }, random())
    const isFirst = atMs < sandbox.calledMs
    if (!sandbox.cold) return { ms: ms + (isFirst ? (context.firstExtraMs?.(callee) ?? 0) : 0), calleeCold }
    // The client that calls other functions is set up by whichever call comes first.
    const wasFirst = caller.cold && step.isFirstRemote
    const setUpMs = (Number(isFirst) - Number(wasFirst)) * times.clientSetUp(sandbox.memoryMb)
    return { ms: Math.max(0, ms + (recorded && caller.cold ? setUpMs : 0)), calleeCold }
  }

  let latencyMs = 0
  for (const root of tree.roots) {
    const node = nodeAt(root)
    const replyMs = invoke(node, node.startMs, context.isCold(node.task, node))
    latencyMs = Math.max(latencyMs, node.startMs + replyMs)
  }
  return { latencyMs, invocations }
}
