import type { TaskDefinition } from '../definition.js'
import { spanId } from '../record.js'
import type { Firing, ObjectMeta } from '../triggers/types.js'
import { dataOf } from './bucket-data.js'
import { spanCode } from './calls.js'
import { inputOf } from './delivery.js'
import type { Frame, Held } from './frames.js'
import type { LocalShard } from './local-shard.js'
import type { HeldSend } from './protocol.js'
import { given, type Stored } from './stored.js'

/** What a trigger of a fused bucket starts in the same invocation. */
export class Work implements Held {
  readonly span: number

  constructor(
    private readonly shard: LocalShard,
    private readonly frame: Frame,
    readonly definition: TaskDefinition,
    /** Index of the task's name; -1 when it runs as an invocation of its own, and so has no span here. */
    name: number,
    private readonly firing: Firing,
    private readonly values: readonly Stored[],
    private readonly at: number,
  ) {
    this.span = name < 0 ? frame.span : frame.run.spans.openAt(frame.span, name, spanCode.send, this.bytes, at)
  }

  get id(): string {
    return this.firing.id
  }

  private get bytes(): number {
    let bytes = 0
    for (const value of this.values) bytes += value.bytes
    return bytes
  }

  begin(): unknown {
    const { firing, span } = this
    const { spans } = this.frame.run
    const waitUs = Math.max(0, spans.startOf(span) - Math.round((this.at - spans.origin) * 1000))
    dataOf(this.frame.run).fired(span, firing.bucket, firing.trigger, this.values.length, this.bytes, waitUs)
    return this.input()
  }

  private input(): unknown {
    const { objects } = this.firing
    const { one, keys } = this.shard.shapeOf(this.firing)
    if (one && !keys) return delivered(objects[0] as ObjectMeta, given(this.values[0] as Stored))
    return inputOf(
      { one, keys },
      objects.map((meta, i) => delivered(meta, given(this.values[i] as Stored))),
    )
  }

  send(): HeldSend {
    const { frame, firing, values, at, shard, span } = this
    const { run } = frame
    return {
      id: firing.id,
      session: frame.session,
      // A trigger's task has a function of its own, but where it is fused that may not exist.
      function: firing.task,
      task: firing.task,
      input: shard.textOf(firing, values, at),
      trace: run.request.trace,
      parent: spanId(run.spanId, span),
      setup: run.router.info.setup,
      given: () => ({ head: shard.headOf(firing, this.bytes, at), input: this.input() }),
    }
  }
}

function delivered({ key, session, group }: ObjectMeta, value: unknown): unknown {
  return group === undefined ? { key, value, session } : { key, value, session, group }
}
