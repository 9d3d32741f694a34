import { type InvocationRecord, modeCodes, POOLED, spanId, spanOf } from '../../record.js'
import { itemsIn } from '../bundle.js'
import { spanCode } from '../calls.js'
import type { Frame } from '../frames.js'
import type { HeldSend, Invocation, Outbound, Outcome } from '../protocol.js'
import { decode, sizeOf } from '../wire.js'

interface Ends {
  answer(outcome: Outcome): void
  /** Nothing of it runs any more. */
  over(): void
  /** Runs it elsewhere. */
  again(): void
}

/** An item that runs in a member of the pool, as its sandbox sees it: a child of the run that it belongs to. */
export class PooledItem {
  /** The run's spans by the member's: those that are needed before the member tells all. */
  private readonly spans: Map<number, number>
  private readonly held = new Set<number>()

  readonly answered: Promise<Outcome>
  /** The first counts. */
  answer!: Ends['answer']
  readonly over: Ends['over']
  readonly again: Ends['again']
  begun = false
  /** Nobody waits for it any more. */
  isLost = false

  constructor(
    readonly no: number,
    readonly frame: Frame,
    /** From its start. */
    readonly limitMs: number | undefined,
    ends: Ends,
  ) {
    this.spans = new Map([[0, frame.span]])
    this.over = ends.over
    this.again = ends.again
    this.answered = new Promise((resolve) => {
      this.answer = (outcome) => {
        resolve(outcome)
        ends.answer(outcome)
      }
    })
  }

  /** What the member is asked to run. */
  invocation(input: Invocation['input']): Invocation {
    const { invocation: id, session, attempt, definition, run, span, parent: caller } = this.frame
    // Its own limit counts from its start.
    const deadline = (caller ?? this.frame).deadline
    const { trace, external: outer } = run.request
    const parent = spanId(run.spanId, span)
    const rest = { external: !caller && outer, attempt, deadline, trace, parent, cold: null }
    return { id, session, task: definition.name, mode: 'call', input, ...rest }
  }

  /** A request of the item, as one of the run. */
  leaving(request: Outbound): Outbound {
    const { run } = this.frame
    if (run.lease) run.lease.spread = true
    const first = spanOf(request.parent).index
    // Those of a bundle stand one after the other, here too.
    for (let i = 0; i < Math.max(1, itemsIn(request.id)); i++)
      this.reserve(first + i, request.task, spanCode.callRemote, sizeOf(request.input))
    return { ...request, parent: this.idOf(first) }
  }

  /** What the item leaves behind is the run's to hold; what comes too late for that leaves the sandbox. */
  hold(sends: readonly HeldSend[]): void {
    const { run, unit } = this.frame
    for (const given of sends) {
      const definition = run.router.task(given.task)
      if (definition === undefined) continue
      const index = spanOf(given.parent).index
      const span = this.reserve(index, given.task, spanCode.send, sizeOf(given.input))
      const send = { ...given, parent: this.idOf(index) }
      this.held.add(index)
      if (unit.answered) {
        run.open++
        const late = run.router.send(definition, { ...send, deadline: Number.MAX_SAFE_INTEGER })
        late.catch((error) => run.spans.fail(span, error)).finally(() => run.closeCall())
        continue
      }
      unit.held ??= []
      unit.held.push({ id: send.id, definition, span, begin: () => decode(send.input), send: () => send })
    }
  }

  /** The member's record becomes part of the run's. */
  adopt(record: InvocationRecord): void {
    const { run, span: own } = this.frame
    const shiftMs = record.start - performance.timeOrigin - run.spans.origin
    const from = run.spans.read(own, 3)
    const to = run.spans.now()
    // Two clocks: a child never leaves its parent for that.
    const at = (ms: number) => Math.min(to, Math.max(from, Math.round((ms + shiftMs) * 1000)))
    for (const [i, span] of record.spans.entries()) {
      const { mode, route, start, end, bytesIn, bytesOut, error } = span
      const name = run.router.nameOf(span.task)
      const code = modeCodes.indexOf(mode) * 2 + (route === 'remote' ? 1 : 0)
      const known = this.spans.get(i) ?? run.spans.open(own, name, code, bytesIn)
      this.spans.set(i, known)
      const parent = this.spans.get(span.parent) ?? own
      if (this.held.has(i)) run.spans.set(known, [parent])
      else {
        const place =
          i === 0
            ? [this.frame.parent?.span ?? -1, name, run.spans.read(own, 2) | POOLED]
            : [parent, name, code + POOLED]
        // What the process's clock says of CPU time is not theirs alone.
        run.spans.set(known, [...place, at(start), at(end), bytesIn, bytesOut, -1])
      }
      if (error === undefined) continue
      run.spans.errors ??= {}
      run.spans.errors[known] = error
    }
  }

  private reserve(index: number, task: string, code: number, bytes: number): number {
    const { run, span } = this.frame
    const reserved = this.spans.get(index) ?? run.spans.open(span, run.router.nameOf(task), code, bytes)
    this.spans.set(index, reserved)
    return reserved
  }

  private idOf(index: number): string {
    return spanId(this.frame.run.spanId, this.spans.get(index) as number)
  }
}
