import type { Link, TaskDefinition } from '../definition.js'
import { FusionizeError } from '../errors.js'
import type { Mode } from '../setup/types.js'
import { type DevCheck, noCheck } from './dev.js'
import type { Run } from './frames.js'
import type { Lease, Leased } from './lease.js'
import type { Maps } from './map.js'
import type { OpenPool, Pool } from './pool/pool.js'
import type { FunctionModule, HeldSend, LogEntry, Outbound, Outcome, SandboxInfo, Transport } from './protocol.js'

/** What one function knows about routing: where each call goes, and how to get there. */
export class Router {
  readonly function: string
  /** Task names by the index that spans carry. */
  readonly names: string[] = []
  check: DevCheck = noCheck
  /** Takes work of a leased session that begins here as invocations of its own. @param free nothing else runs here */
  keepOwn: (lease: Lease, sends: readonly HeldSend[], free: boolean) => void = () => {}
  /** Whether nobody need be told of the run's outcome, since what it started goes on here. */
  withholds: (run: Run, outcome: Outcome, next: readonly HeldSend[]) => boolean = () => false
  /** Shards of fused buckets, by name. */
  readonly shards = new Map<string, Leased>()
  /** What this function knows of maps besides one run per item; absent where the source shows none. */
  readonly maps: Maps | undefined
  /** Where CPU-bound items may run; absent where they cannot, or there is one core. */
  readonly pool: Pool | undefined
  /** Remote maps: items per invocation, by task. */
  readonly bundle: Readonly<Record<string, number>>
  /** Buckets that this function evaluates itself, for sessions that are leased to it. */
  readonly fused: ReadonlySet<string>
  private readonly inline: Record<Mode, ReadonlySet<string>>
  private readonly leaves: ReadonlySet<string>
  private readonly tasks = new Map<string, TaskDefinition>()
  private readonly links = new Map<string, Link>()

  constructor(
    module: Omit<FunctionModule, 'app' | 'tasks'>,
    definitions: readonly TaskDefinition[],
    readonly info: Pick<SandboxInfo, 'setup' | 'timeoutMs' | 'dev'> & Partial<SandboxInfo>,
    readonly transport: Transport | undefined,
  ) {
    this.function = module.function
    const { call, send, map } = module.inline
    this.inline = { call: new Set(call), send: new Set(send), map: new Set(map) }
    this.leaves = new Set(module.leaves)
    this.fused = new Set(module.buckets)
    this.maps = module.maps as Maps | undefined
    this.pool = (module.pool as OpenPool | undefined)?.(this)
    this.bundle = module.bundle ?? {}
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

  /** Index of the task's name. */
  nameOf(task: string): number {
    const known = this.names.indexOf(task)
    return known < 0 ? this.names.push(task) - 1 : known
  }

  /** Has a task of another function run. @throws {FusionizeError} `UNKNOWN_TASK`: there is no other function */
  call(definition: TaskDefinition, request: Outbound, signal: AbortSignal): Promise<Outcome> {
    return this.connected(definition).call(request, signal)
  }

  /** Resolves once the send is held outside. */
  send(definition: TaskDefinition, request: Outbound): Promise<void> {
    return this.connected(definition).send(request)
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
      name: this.nameOf(definition.name),
      call: this.route(definition, 'call'),
      send: this.route(definition, 'send'),
      map: this.route(definition, 'map'),
      leaf: this.leaves.has(definition.name),
    }
  }
}
