import type { TaskDefinition } from '../definition.js'
import { spanId } from '../record.js'
import type { Firing, ObjectMeta } from '../triggers/types.js'
import { dataOf } from './bucket-data.js'
import { spanCode } from './calls.js'
import { type DeliveryHead, inputOf } from './delivery.js'
import type { Frame, Held } from './frames.js'
import type { LocalShard } from './local-shard.js'
import type { HeldSend, KnownInput } from './protocol.js'
import { given, type Stored } from './stored.js'

/** What a trigger of a fused bucket starts in the same invocation. */
export class Work implements Held, KnownInput {
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

  get bytes(): number {
    let bytes = 0
    for (const value of this.values) bytes += value.bytes
    return bytes
  }

  begin(): unknown {
    const { firing, span } = this
    const { spans } = this.frame.run
    const waitUs = Math.max(0, spans.read(span, 3) - Math.round((this.at - spans.origin) * 1000))
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
    return new WorkSend(this, this.frame)
  }

  /** As text; where it begins here at once nobody needs that. */
  text(): string {
    return this.shard.textOf(this.firing, this.values, this.at)
  }

  read(): { head: DeliveryHead; input: unknown } {
    return { head: this.shard.headOf(this.firing, this.bytes, this.at), input: this.input() }
  }
}

/** Work as the platform keeps it. */
class WorkSend implements HeldSend {
  readonly id: string
  readonly session: string
  /** A trigger's task has a function of its own, but where it is fused that may not exist. */
  readonly function: string
  readonly task: string
  readonly trace: string
  readonly parent: string
  readonly setup: string

  constructor(
    readonly known: Work,
    { run, session }: Frame,
  ) {
    this.id = known.id
    this.session = session
    this.function = known.definition.name
    this.task = known.definition.name
    this.trace = run.request.trace
    this.parent = spanId(run.spanId, known.span)
    this.setup = run.router.info.setup
  }

  get input(): string {
    return this.known.text()
  }
}

function delivered({ key, session, group }: ObjectMeta, value: unknown): unknown {
  return group === undefined ? { key, value, session } : { key, value, session, group }
}
