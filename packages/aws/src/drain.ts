import { type InvocationRecord, spanId, spanOf } from 'fusionize/record'

/**
 * Knows from records what is still under way, since Lambda does not say: whatever a record says was called or sent elsewhere has a record
 * of its own when it is over, and so has every request.
 */
export class Drain {
  /** Invocations, by id, and spans that wait for a callee's record. */
  readonly #open = new Set<string>()
  /** Of callees whose record came before their caller's. */
  readonly #seen = new Set<string>()
  /** Firings that are over. */
  readonly #fired = new Set<string>()

  /** @param retriesOf runs of a failed send after its first, by task */
  constructor(readonly retriesOf: (task: string) => number) {}

  /** Ids of what has no record yet. */
  get open(): ReadonlySet<string> {
    return this.#open
  }

  /** A request was taken: its record will come. */
  expect(invocation: string): void {
    this.#open.add(invocation)
  }

  /** A trigger has fired: the record of its invocation will come, or has. */
  fired(invocation: string): void {
    if (!this.#fired.has(invocation)) this.#open.add(invocation)
  }

  /** It was not taken after all, or ended without a record. */
  forget(id: string): void {
    this.#open.delete(id)
  }

  saw(record: InvocationRecord): void {
    const { invocation, mode, task, attempt, fired, parent, items = 1, spans } = record
    this.#open.delete(invocation)
    // The parent of a firing is who has put, not a span that waits for it.
    for (let i = 0; parent !== null && !fired && i < items; i++) this.#over(following(parent, i))
    for (const [i, { error, mode, route, task }] of spans.entries()) {
      // A send that failed inline is tried again elsewhere.
      const again = route === 'inline' && mode === 'send' && i > 0 && error !== undefined && this.retriesOf(task) > 0
      if ((route === 'remote' && error === undefined) || again) this.#called(spanId(record.span, i))
    }
    const failed = mode === 'send' && spans[0]?.error !== undefined
    // Of a firing that was delivered twice one delivery may fail, since the other was faster.
    if (failed && attempt <= this.retriesOf(task)) {
      if (!this.#fired.has(invocation)) this.#open.add(invocation)
    } else if (fired) this.#fired.add(invocation)
  }

  #called(id: string): void {
    if (!this.#seen.delete(id)) this.#open.add(id)
  }

  #over(id: string): void {
    if (!this.#open.delete(id)) this.#seen.add(id)
  }
}

/** The id of the span so many after this one, of the same invocation. */
function following(id: string, count: number): string {
  const { root, index } = spanOf(id)
  return spanId(root, index + count)
}
