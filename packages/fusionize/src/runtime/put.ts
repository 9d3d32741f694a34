import { spanId } from '../record.js'
import { putIdOf } from '../triggers/put-id.js'
import { firingId } from '../triggers/step-outlet.js'
import type { Firing, ObjectMeta } from '../triggers/types.js'
import { frameData } from './bucket-data.js'
import type { Frame } from './frames.js'
import type { BucketOp } from './protocol.js'
import type { Router } from './router.js'
import { outgoing, type Stored } from './stored.js'

/** With the key in it: should the branches of a retried task put in another order, an object counts twice rather than never. */
export function putId(frame: Frame, key: string, ordinal: number): string {
  return putIdOf(`${frame.invocation}/${key}`, ordinal)
}

/** Who put. */
interface Origin {
  id: string
  source: string
  router: Router
  trace: string
  parent: string
}

/**
 * An object on its way into a fused bucket, with its value. What few ever ask for is made when it is: ids are a large part of what a put
 * in the same sandbox costs.
 */
export class Put implements ObjectMeta, Stored {
  seq = 0
  hash = ''
  group?: string
  private id: string | undefined
  private from: string | undefined
  private origin: Origin | undefined

  constructor(
    readonly key: string,
    readonly session: string,
    readonly value: unknown,
    readonly bytes: number,
    private frame: Frame | undefined,
    private readonly ordinal: number,
    private readonly bucket: string,
    private readonly at: number,
  ) {}

  get putId(): string {
    this.id ??= putId(this.frame as Frame, this.key, this.ordinal)
    return this.id
  }

  get source(): string {
    this.from ??= frameData(this.frame as Frame).sourceOf(this.bucket)
    return this.from
  }

  /** As JSON has it. */
  plain(): ObjectMeta {
    const { key, seq, putId, session, hash, bytes, group, source } = this
    return { key, seq, putId, session, hash, bytes, source, ...(group !== undefined && { group }) }
  }

  /** It may live longer than the run that put, which it would keep with all that is in it. */
  settle(): Origin {
    const { frame, putId, source } = this
    if (frame) {
      const { run, span } = frame
      this.frame = undefined
      this.origin = {
        id: putId,
        source,
        router: run.router,
        trace: run.request.trace,
        parent: spanId(run.spanId, span),
      }
    }
    return this.origin as Origin
  }

  /** What the platform hears of it, should it have to: once. */
  op(): BucketOp {
    const { bucket, key, session, group, at } = this
    const { id, source, router, trace, parent } = this.settle()
    const value = outgoing(router, this.value)
    const op = { bucket, session, op: 'put', key, id, source, at: performance.timeOrigin + at, value } as const
    return { ...op, ...(group !== undefined && { group }), trace, parent }
  }
}

const none: string[] = []

/** The firing of a put that no trigger remembers: what the machine would say of it. */
export class LightFiring implements Firing {
  readonly group = undefined
  readonly sessions = none
  readonly incomplete = false
  private known: string | undefined

  constructor(
    readonly bucket: string,
    readonly trigger: number,
    readonly task: string,
    private readonly meta: ObjectMeta,
    readonly ordinal: number,
  ) {}

  get id(): string {
    this.known ??= firingId(this.bucket, this.trigger, this.scope, this.ordinal)
    return this.known
  }

  get scope(): string {
    return this.meta.session
  }

  get objects(): ObjectMeta[] {
    return [this.meta]
  }
}
