import type { ObjectRef } from 'fusionize/runtime'
import type { Buckets } from '../buckets/index.js'
import { type Part, Utf8 } from '../sandbox/messages.js'
import { wireText } from './failures.js'
import type { Job } from './job.js'
import { payloadOf, textOf } from './parts.js'
import type { BucketHead, MirrorHead, Sandbox } from './sandbox.js'

/** Where sandboxes turn to with what concerns buckets: messages on their side, the node's buckets on the other. */
export class BucketDesk {
  constructor(readonly buckets: Buckets) {}

  /** Whether the session's fused buckets may be evaluated by the job. */
  lease(sandbox: Sandbox, { request: { session, mode } }: Job): boolean {
    // The session counts the job and, of a send, the acceptance.
    const open = sandbox.pool.deployment.sessions.get(session)
    return this.buckets.lease(sandbox, session, open === (mode === 'send' ? 2 : 1))
  }

  op(sandbox: Sandbox, no: number, op: BucketHead, value: Part): void {
    this.buckets.op(sandbox, op, givenOf(op, value), (error, output) => {
      const objects = this.objects(output)
      if (objects) void objects.parts.then((parts) => sandbox.answerWith(no, output, objects.refs, parts))
      else sandbox.refuseOrAnswer(no, error === undefined, error === undefined ? output : wireText(error))
    })
  }

  mirror(sandbox: Sandbox, [, session, ops, ended, over]: MirrorHead, values: Part[]): void {
    const given = ops.map((op, i) => givenOf(op, values[i]))
    const written = this.buckets.mirror(sandbox, session, ops, given, ended, over)
    if (written === undefined) return
    sandbox.writing = written
    written.then(
      () => {
        if (sandbox.writing === written) sandbox.writing = undefined
      },
      () => {},
    )
  }

  /** The session's entry is answered by a bucket. */
  outcome(sandbox: Sandbox, session: string, value: Part): void {
    this.buckets.outcome(session, payloadOf(value), sandbox.writing)
  }

  /** The large objects that an input names. */
  objects(input: Part): { refs: string[]; parts: Promise<Part[]> } | undefined {
    return typeof input === 'string' ? this.buckets.ports.large.forSandbox(input) : undefined
  }

  /** A sandbox hands in a large object. @returns when what it says next may be heard, if that takes time */
  object(ref: string, bytes: number, part: Part): Promise<void> | undefined {
    return this.buckets.ports.large.arrive(ref, bytes, part instanceof Utf8 ? textOf(part) : part)
  }

  gone(sandbox: Sandbox): void {
    this.buckets.gone(sandbox)
  }
}

function givenOf(op: BucketHead, value: Part): ReturnType<typeof payloadOf> | ObjectRef {
  return op.ref ?? payloadOf(value)
}
