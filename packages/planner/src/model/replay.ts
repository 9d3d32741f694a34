import { type HandOverKind, isFirstRemote, recordedKind } from './hand-over.js'
import { quotaMs, stopMs } from './law.js'
import type { Times } from './times.js'
import type { Node, Step, Tree } from './tree.js'
import type { ModelSetup, PredictOptions } from './types.js'

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
}

export interface Replayed {
  latencyMs: number
  invocations: ReplayedInvocation[]
}

export interface ReplayContext {
  setup: ModelSetup
  times: Times
  options: PredictOptions
  /** Whether an invocation starts a sandbox. @param node what it is for */
  isCold: (fn: string, node: Node) => boolean
  /** Start-up of a sandbox of a function, ms, where the invocation was warm when it was recorded. */
  initMs: (fn: string) => number
  random: () => number
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
}

/** Ms from a run's start. */
interface Ran {
  /** Until its result. */
  spanMs: number
  /** Until the inline sends that it left behind have ended. */
  sendsMs: number
  /** Of computing that needs the sandbox's cores, before the result and in inline sends. */
  loadMs: number
  sendLoadMs: number
}

/**
 * Runs a recorded request again under another setup (DESIGN §8): the same calls in the same order of dependence, with other times. An inline call
 * loses its hand-over and its invocation, a remote one gets a hand-over; work scales with memory; what computes side by side in one sandbox shares
 * its cores: an invocation takes at least as long as its path and as all its computing.
 */
export function replay(tree: Tree, context: ReplayContext): Replayed {
  const { setup, times, options, random } = context
  const { mbPerCore = 1769, inlineSends = 'after-reply' } = options
  const invocations: ReplayedInvocation[] = []
  const fair = fairShares(tree, times, mbPerCore)
  const nodeAt = (index: number) => tree.nodes[index] as Node
  const isInline = (fn: string, step: Step) =>
    setup.functions[fn]?.inline[step.mode].includes(nodeAt(step.child).task) === true

  const run = (node: Node, sandbox: Sandbox, startMs: number): Ran => {
    const { workMs, firstUseMs } = firstRun(node, sandbox)
    const ownMs = workMs + firstUseMs
    const stretch = node.ownMs > 0 ? ownMs / node.ownMs : 0
    const ran: Ran = {
      spanMs: 0,
      sendsMs: 0,
      loadMs: times.load(node.task, ownMs, sandbox.memoryMb) * (fair.get(node.invocation) ?? 1),
      sendLoadMs: 0,
    }
    const ends: number[] = []
    let lastEnd = 0
    // Inline calls that are open together: what they compute takes turns on the sandbox's cores.
    let together = { fromMs: 0, loadMs: 0, steps: new Set<number>(), wasTogether: true }
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
        sandbox.calledMs = Math.min(sandbox.calledMs, startMs + end)
        waits = waits || step.route === 'inline'
      } else {
        const inner = run(child, sandbox, startMs + at)
        ran.sendsMs = Math.max(ran.sendsMs, at + inner.sendsMs)
        ran.sendLoadMs += inner.sendLoadMs
        if (step.mode === 'send') {
          ran.sendsMs = Math.max(ran.sendsMs, at + inner.spanMs)
          // The handler around an inline send does what it does around a remote one.
          ran.sendLoadMs += inner.loadMs + extraMs(child, sandbox.memoryMb)
          waits = false
        } else {
          end =
            at + inner.spanMs + (step.route === 'remote' && isRested(node, sandbox) ? unrestedMs(child, sandbox) : 0)
          ran.loadMs += inner.loadMs
          if ([...together.steps].every((j) => step.after.includes(j)))
            together = { fromMs: at, loadMs: 0, steps: new Set(), wasTogether: true }
          together.steps.add(k)
          // Those that were recorded so took turns then.
          together.wasTogether &&= step.route === 'inline'
          together.loadMs += inner.loadMs
          if (together.steps.size > 1 && !together.wasTogether)
            end = Math.max(end, together.fromMs + together.loadMs - stopMs(sandbox.memoryMb, 1, mbPerCore))
        }
      }
      ends[k] = end
      if (waits) lastEnd = Math.max(lastEnd, end)
    }
    ran.spanMs = lastEnd + (node.ownMs > 0 ? node.tailMs * stretch : ownMs)
    return ran
  }

  /** @returns time to the reply, ms */
  const invoke = (node: Node, startMs: number, cold: boolean): number => {
    const fn = node.task
    const memoryMb = memoryOf(fn, node)
    const sandbox: Sandbox = { fn, memoryMb, cold, firstUse: new Map(), calledMs: Number.POSITIVE_INFINITY }
    if (cold) sandbox.firstUse = sharedFirstUse(node, sandbox)
    const index = invocations.push({ function: fn, memoryMb, startMs, wallMs: 0, billedMs: 0, initMs: 0, cold }) - 1
    const ran = run(node, sandbox, startMs)
    const awaits = inlineSends === 'awaited'
    const restedMs = stopMs(memoryMb, 1, mbPerCore)
    const alone = Math.max(ran.spanMs, ran.loadMs - restedMs)
    const everything = Math.max(alone, ran.sendsMs, ran.loadMs + ran.sendLoadMs - restedMs)
    const replyMs = awaits ? everything : alone
    const wallMs = Math.max(replyMs + extraMs(node, memoryMb), everything)
    const initMs = cold ? (node.cold && node.isHead ? node.initMs : context.initMs(fn)) : 0
    Object.assign(invocations[index] as ReplayedInvocation, {
      wallMs,
      billedMs: Math.max(0, wallMs + node.billedExtraMs * times.slower(node.memoryMb ?? memoryMb, memoryMb)),
      initMs,
    })
    return replyMs
  }

  const extraMs = (node: Node, memoryMb: number) => node.extraMs * times.slower(node.memoryMb ?? memoryMb, memoryMb)

  const memoryOf = (fn: string, node: Node): number => {
    const memory = setup.functions[fn]?.memory ?? node.memoryMb
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
    const quotas = times.coreMs(child.task, workMs, sandbox.memoryMb) / quotaMs(sandbox.memoryMb, mbPerCore)
    return stopMs(sandbox.memoryMb, 1, mbPerCore) * Math.min(1, Math.max(0, quotas - 1))
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
    if (!sandbox.cold) return { ms, calleeCold }
    // The client that calls other functions is set up by whichever call comes first.
    const isFirst = atMs < sandbox.calledMs
    const wasFirst = caller.cold && isFirstRemote(caller, step)
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

/**
 * How much of the computing that tasks of one invocation would do apart it really did, by recorded invocation: what ran together cannot have
 * computed longer than the invocation took.
 */
function fairShares(tree: Tree, times: Times, mbPerCore: number): Map<number, number> {
  const known = fairOf.get(times) ?? new WeakMap<Tree, Map<number, number>>()
  fairOf.set(times, known)
  const found = known.get(tree) ?? fairSharesOf(tree, times, mbPerCore)
  known.set(tree, found)
  return found
}

/** They are the same under any setup. */
const fairOf = new WeakMap<Times, WeakMap<Tree, Map<number, number>>>()

function fairSharesOf(tree: Tree, times: Times, mbPerCore: number): Map<number, number> {
  const loads = new Map<number, number>()
  const limits = new Map<number, number>()
  for (const node of tree.nodes) {
    if (node.memoryMb === undefined) continue
    const load = times.load(node.task, node.ownMs, node.memoryMb)
    loads.set(node.invocation, (loads.get(node.invocation) ?? 0) + load)
    if (node.isHead) limits.set(node.invocation, node.wallMs + stopMs(node.memoryMb, 1, mbPerCore))
  }
  return new Map([...loads].map(([i, load]) => [i, load > 0 ? Math.min(1, (limits.get(i) ?? load) / load) : 1]))
}
