import { type Interval, lengthOf, union } from '../statistics/intervals.js'
import type { ForeignSpan } from './foreign-span.js'
import type { RequestTrace, TaskRun, TraceInvocation } from './types.js'

/** A span with its place in the tree. */
interface Node {
  span: ForeignSpan
  parent: Node | undefined
  children: Node[]
  /** It stands for the way, not for work. */
  relay: boolean
  /** An invocation begins with it. */
  entry: boolean
  /** An invocation begins below it. */
  leads: boolean
}

/** An invocation whose place in the request is known. */
interface Found {
  entry: Node
  /** Index of the run that called it; -1: the request. */
  parent: number
  /** The outermost span of the caller that waits for it. */
  call?: Node
  /** Ms that its machine's clock is behind the arrival's. */
  shiftMs: number
}

/**
 * The request that spans of OpenTelemetry or X-Ray tell of. A span that serves (kinds server and consumer), or whose parent is another
 * service's, begins an invocation; the spans of its service below it belong to that. Whom the caller waits for is a call; what is handed to a
 * queue, or goes on after the caller stopped waiting, is a send. Clocks differ: a callee that would stick out of the wait for it, though it
 * fits in, is moved to its middle (as Jaeger does).
 */
export function assembleSpans(id: string, spans: readonly ForeignSpan[]): RequestTrace | string {
  const nodes = treeOf(spans)
  matchStrays(nodes)
  for (const node of nodes) node.entry = isEntry(node)
  const entries = nodes.filter(({ entry }) => entry)
  for (const { parent } of entries) for (let at = parent; at && !at.leads; at = at.parent) at.leads = true
  if (entries.length === 0) return 'no span of it is the work of a function or service'
  const roots = entries.filter((entry) => callerOf(entry) === undefined).sort(byRank)
  const root = roots[0] as Node
  const trace: RequestTrace = { id, arrivalMs: arrivalOf(root), runs: [], invocations: [] }
  const queue: Found[] = roots.map((entry) => ({ entry, parent: -1, shiftMs: 0 }))
  // Roots whose parents are lost: the first one is the request's.
  let missing = roots.slice(1).filter(({ parent, span }) => parent === undefined && span.parent !== '').length
  const found = new Map<Node, Found>()
  for (let at = 0; at < queue.length; at++) missing += place(trace, queue[at] as Found, queue, found)
  if (missing > 0) trace.missing = missing
  return trace
}

function treeOf(spans: readonly ForeignSpan[]): Node[] {
  const nodes = spans.map(
    (span): Node => ({ span, parent: undefined, children: [], relay: false, entry: false, leads: false }),
  )
  const byId = new Map(nodes.map((node) => [node.span.id, node]))
  for (const node of nodes) {
    const parent = byId.get(node.span.parent)
    // A span that is its own ancestor is a broken trace's: it stays a root.
    if (!parent || isBelow(parent, node)) continue
    node.parent = parent
    parent.children.push(node)
  }
  for (const node of nodes) if (node.span.service === '') node.span = { ...node.span, service: serviceOf(node) }
  for (const node of nodes) node.relay = isRelay(node)
  for (const node of nodes) node.entry = isEntry(node)
  return nodes
}

function serviceOf(node: Node): string {
  let at = node
  while (at.span.service === '' && at.parent) at = at.parent
  return at.span.service || node.span.task
}

function isBelow(node: Node, ancestor: Node): boolean {
  for (let at: Node | undefined = node; at; at = at.parent) if (at === ancestor) return true
  return false
}

/**
 * The way, not work: what says so; the platform's span of an invocation, unless it stands for a function that reports nothing itself; and the
 * request's client, when it reports itself.
 */
function isRelay({ span, parent, children }: Node): boolean {
  if (span.stand) return children.some((child) => !child.span.relay && child.span.service === span.service)
  return (
    span.relay === true || (waits({ span }) && !parent && children.some((child) => child.span.service !== span.service))
  )
}

function isEntry(node: Node): boolean {
  const { span } = node
  if (node.relay) return false
  const parent = above(node)
  if (!parent || parent.span.service !== span.service) return true
  return (span.kind === 'server' || span.kind === 'consumer') && waits(parent)
}

/** The parent, what only stands for the way left out. */
function above(node: Node): Node | undefined {
  let at = node.parent
  while (at?.relay) at = at.parent
  return at
}

const waits = ({ span }: Pick<Node, 'span'>) => span.kind === 'client' || span.kind === 'producer'

/** The invocation that a span belongs to. */
function ownerOf(node: Node): Node {
  let at = node
  while (!at.entry) {
    const next = above(at)
    if (!next) break
    at = next
  }
  return at
}

function callerOf(entry: Node): Node | undefined {
  const parent = above(entry)
  return parent && ownerOf(parent)
}

/** The caller's outermost span of waiting: that of the library around that of its HTTP client. */
function callSpanOf(entry: Node): Node | undefined {
  let at = above(entry)
  if (!at || !waits(at)) return undefined
  for (let next = above(at); next && waits(next) && next.span.service === at.span.service && !next.entry; ) {
    at = next
    next = above(at)
  }
  return at
}

/** A root that has no parent comes before those whose parent is lost, then the earliest. */
function byRank(a: Node, b: Node): number {
  const lost = ({ parent, span }: Node) => (!parent && span.parent !== '' ? 1 : 0)
  return lost(a) - lost(b) || a.span.startMs - b.span.startMs
}

/** A gateway before it knows earlier of the request. Its clock is trusted only when it fits. */
function arrivalOf(root: Node): number {
  let arrival = root.span.startMs
  for (let at = root.parent; at?.relay; at = at.parent)
    if (at.span.startMs < arrival && at.span.endMs >= root.span.startMs && at.span.kind !== 'client')
      arrival = at.span.startMs
  return arrival
}

/**
 * Where the span between two functions is another system's (X-Ray's, when OpenTelemetry's spans are exported alone), the callee's parent is
 * lost; a call that names the function and is open at that time tells whose it is.
 */
function matchStrays(nodes: readonly Node[]): void {
  const strays = nodes
    .filter((node) => !node.parent && node.span.parent !== '' && node.entry)
    .sort((a, b) => a.span.startMs - b.span.startMs)
  if (strays.length === 0) return
  const open = nodes
    .filter(
      (node) =>
        node.span.invokes !== undefined && node.children.every((child) => child.span.service === node.span.service),
    )
    .sort((a, b) => a.span.startMs - b.span.startMs)
  for (const stray of strays) {
    const { service, startMs } = stray.span
    const at = open.findIndex(
      ({ span }) => span.invokes === service && span.startMs <= startMs && (startMs <= span.endMs || span.asynchronous),
    )
    const call = open[at]
    if (!call || isBelow(call, stray)) continue
    open.splice(at, 1)
    stray.parent = call
    call.children.push(stray)
  }
}

/** Adds an invocation and queues those that it called. @returns calls of functions that do not report */
function place(trace: RequestTrace, self: Found, queue: Found[], found: Map<Node, Found>): number {
  const { entry, parent, call, shiftMs } = self
  const { span } = entry
  found.set(entry, self)
  const at = (ms: number) => ms + shiftMs - trace.arrivalMs
  const called: Node[] = []
  const outside: Interval[] = []
  const facts = { coldMs: span.coldMs, isCold: span.isCold, missing: 0 }
  // No recursion: spans may be nested deeper than the stack is.
  const open = [...entry.children]
  for (let child = open.pop(); child; child = open.pop()) {
    if (child.entry) {
      called.push(child)
      continue
    }
    facts.coldMs ??= child.span.coldMs
    if (waits(child) && !child.relay && !child.leads) {
      outside.push([at(child.span.startMs), at(child.span.endMs)])
      if (child.span.invokes !== undefined) facts.missing++
    } else open.push(...child.children)
  }
  called.sort((a, b) => a.span.startMs - b.span.startMs)

  const run: TaskRun = {
    task: span.task,
    parent,
    mode: modeOf(entry, call),
    route: 'remote',
    startMs: at(span.startMs),
    endMs: at(span.endMs),
    invocation: trace.invocations.length,
  }
  const caller = call && found.get(ownerOf(call))
  if (call && caller)
    run.call = {
      startMs: call.span.startMs + caller.shiftMs - trace.arrivalMs,
      endMs: call.span.endMs + caller.shiftMs - trace.arrivalMs,
    }
  if (outside.length > 0) run.outsideMs = lengthOf(union(outside))
  const [bytesIn, bytesOut] = [span.bytesIn ?? call?.span.bytesIn, span.bytesOut ?? call?.span.bytesOut]
  if (bytesIn !== undefined) run.bytesIn = bytesIn
  if (bytesOut !== undefined) run.bytesOut = bytesOut
  const error = span.error ?? call?.span.error
  if (error !== undefined) run.error = error
  const index = trace.runs.push(run) - 1
  trace.invocations.push(invocationOf(span, at, facts))
  for (const child of called) {
    const callSpan = callSpanOf(child)
    const next: Found = { entry: child, parent: index, shiftMs: shiftMs + skewOf(child, callSpan) }
    if (callSpan) next.call = callSpan
    queue.push(next)
  }
  return facts.missing
}

function invocationOf(
  span: ForeignSpan,
  at: (ms: number) => number,
  { coldMs, isCold }: { coldMs: number | undefined; isCold: boolean | undefined },
): TraceInvocation {
  const invocation: TraceInvocation = {
    function: span.service,
    startMs: at(span.startMs),
    endMs: at(span.doneMs ?? span.endMs),
  }
  if (span.memoryMb !== undefined) invocation.memoryMb = span.memoryMb
  if (span.billedMs !== undefined) invocation.billedMs = span.billedMs
  if (coldMs !== undefined) invocation.coldMs = coldMs
  else if (isCold === false) invocation.coldMs = null
  if (isCold !== undefined) invocation.isCold = isCold
  else if (coldMs !== undefined) invocation.isCold = true
  return invocation
}

/** A callee may work on a little after its reply has left: no send because of that. */
const LINGERS = { share: 1.05, ms: 2 } as const

/** Nobody waited for what was still running when the caller went on, nor for what began after that. */
function modeOf(entry: Node, call: Node | undefined): TaskRun['mode'] {
  const { kind, startMs, endMs } = entry.span
  if (kind === 'consumer' || call?.span.kind === 'producer' || call?.span.asynchronous) return 'send'
  if (!call) return 'call'
  const [waited, worked] = [call.span.endMs - call.span.startMs, endMs - startMs]
  return worked > waited * LINGERS.share + LINGERS.ms || startMs >= call.span.endMs ? 'send' : 'call'
}

function skewOf(entry: Node, call: Node | undefined): number {
  if (!call || modeOf(entry, call) === 'send') return 0
  const { startMs, endMs } = entry.span
  if (startMs >= call.span.startMs && endMs <= call.span.endMs) return 0
  return (call.span.startMs + call.span.endMs - startMs - endMs) / 2
}
