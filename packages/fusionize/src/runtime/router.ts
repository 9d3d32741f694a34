import type { Link, TaskDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import type { Mode } from '../setup/types.js'
import { decodeDelivery, isDelivery } from './delivery.js'
import { type DevCheck, noCheck } from './dev.js'
import type { Lease, Leased } from './lease.js'
import type {
  BucketOp,
  FunctionModule,
  HeldSend,
  LogEntry,
  Outbound,
  Outcome,
  Payload,
  SandboxInfo,
  Transport,
} from './protocol.js'
import { decode } from './wire.js'

/** What one function knows about routing: where each call goes, and how to get there. */
export class Router {
  readonly function: string
  /** Task names by the index that spans carry. */
  readonly names: string[] = []
  check: DevCheck = noCheck
  /** Takes work of a leased session that begins here as invocations of its own. @param free nothing else runs here */
  keepOwn: (lease: Lease, sends: readonly HeldSend[], free: boolean) => void = () => {}
  /** Shards of fused buckets, by name. */
  readonly shards = new Map<string, Leased>()
  private readonly fused: ReadonlySet<string>
  private readonly inline: Record<Mode, ReadonlySet<string>>
  private readonly leaves: ReadonlySet<string>
  private readonly tasks = new Map<string, TaskDefinition>()
  private readonly links = new Map<string, Link>()

  constructor(
    module: Pick<FunctionModule, 'function' | 'inline' | 'leaves' | 'buckets'>,
    definitions: readonly TaskDefinition[],
    readonly info: Pick<SandboxInfo, 'setup' | 'timeoutMs' | 'dev'>,
    private readonly transport: Transport | undefined,
  ) {
    this.function = module.function
    const { call, send, map } = module.inline
    this.inline = { call: new Set(call), send: new Set(send), map: new Set(map) }
    this.leaves = new Set(module.leaves)
    this.fused = new Set(module.buckets)
    for (const definition of definitions) {
      this.tasks.set(definition.name, definition)
      this.link(definition)
    }
  }

  task(name: string): TaskDefinition | undefined {
    return this.tasks.get(name)
  }

  /** O(1): what this router knows of a task; where its calls go, above all. */
  link(definition: TaskDefinition): Link {
    if (definition.link?.router === this) return definition.link
    let link = this.links.get(definition.name)
    if (link === undefined) {
      link = this.newLink(definition)
      this.links.set(definition.name, link)
    }
    definition.link = link
    return link
  }

  /** Has a task of another function run. @throws {FusionizeError} `UNKNOWN_TASK`: there is no other function */
  call(definition: TaskDefinition, request: Outbound, signal: AbortSignal): Promise<Outcome> {
    return this.connected(definition).call(request, signal)
  }

  /** Resolves once the send is held outside. */
  send(definition: TaskDefinition, request: Outbound): Promise<void> {
    return this.connected(definition).send(request)
  }

  /** Whether this function evaluates the bucket itself, for sessions that are leased to it. */
  fuses(bucket: string): boolean {
    return this.fused.has(bucket)
  }

  /** Buckets with a clock, or of all sessions, are evaluated here, too: there is no other place. */
  get everything(): boolean {
    return false
  }

  /** Asks the platform's shard of a bucket. */
  bucket(op: BucketOp): Promise<Outcome> {
    if (this.transport) return this.transport.bucket(op)
    throw new FusionizeError('UNSUPPORTED', `bucket '${op.bucket}': no platform is connected`)
  }

  /** The session's first object in the bucket that answers for its entry. */
  result(session: string, value: Payload): void {
    this.transport?.result(session, value)
  }

  /** The bytes of an object that a delivery only names. */
  object(ref: string): Promise<Uint8Array> {
    return (this.transport as Transport).object(ref)
  }

  /** A payload as a task sees it. */
  input(payload: Payload): unknown {
    if (!isDelivery(payload)) return decode(payload)
    const read = decodeDelivery(payload, ({ ref }) => this.object(ref))
    return read instanceof Promise ? read.then(({ input }) => input) : read.input
  }

  /** Nobody needs what the source puts. */
  cancelSource(_session: string, _source: string): void {}

  /** Calls back after a while; for tasks outside a function. @returns how to call it off */
  later(_ms: number, _then: () => void): () => void {
    return () => {}
  }

  warn(message: string, error?: unknown): void {
    const why = error === undefined ? '' : `: ${error instanceof Error ? error.message : String(error)}`
    this.log({ level: 'warn', task: '', session: '', message: message + why, time: Date.now() })
  }

  log(entry: LogEntry): void {
    this.transport?.log(entry)
  }

  private connected(definition: TaskDefinition): Transport {
    if (this.transport) return this.transport
    throw new FusionizeError('UNKNOWN_TASK', `task '${definition.name}' is not here and no platform is connected`)
  }

  /** A task whose code is not here is remote, whatever the table says. */
  protected route(definition: TaskDefinition, mode: Mode): 'inline' | 'remote' {
    return definition.body !== undefined && this.inline[mode].has(definition.name) ? 'inline' : 'remote'
  }

  private newLink(definition: TaskDefinition): Link {
    return {
      router: this,
      name: this.names.push(definition.name) - 1,
      call: this.route(definition, 'call'),
      send: this.route(definition, 'send'),
      map: this.route(definition, 'map'),
      leaf: this.leaves.has(definition.name),
    }
  }
}

/** Routes for tasks that run outside a function: everything is here. */
export class PlainRouter extends Router {
  constructor(
    private readonly runLater: (definition: TaskDefinition, request: Outbound) => void,
    private readonly hooks: Pick<Router, 'result' | 'later'>,
  ) {
    super(
      { function: 'plain', inline: { call: [], send: [], map: [] }, leaves: [] },
      [],
      { setup: 'plain', timeoutMs: 2 ** 31 - 1, dev: true },
      undefined,
    )
  }

  override fuses(): boolean {
    return true
  }

  override get everything(): boolean {
    return true
  }

  /** Only a promise to put, or news of a source: outside a function nothing is lost, so nothing is run again. */
  override async bucket(): Promise<Outcome> {
    return { ok: true, output: undefined }
  }

  override result(session: string, value: Payload): void {
    this.hooks.result(session, value)
  }

  override later(ms: number, then: () => void): () => void {
    return this.hooks.later(ms, then)
  }

  override async send(definition: TaskDefinition, request: Outbound): Promise<void> {
    this.runLater(definition, request)
  }

  protected override route(): 'inline' {
    return 'inline'
  }
}
