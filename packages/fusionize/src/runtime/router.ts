import type { Link, TaskDefinition } from '../definition.js'
import type { Mode } from '../setup/types.js'
import { type DevCheck, noCheck } from './dev.js'
import type { FunctionModule, LogEntry, SandboxInfo, Transport } from './protocol.js'

/** What one function knows about routing: where each call goes, and how to get there. */
export class Router {
  readonly function: string
  /** Task names by the index that spans carry. */
  readonly names: string[] = []
  check: DevCheck = noCheck
  private readonly inline: Record<Mode, ReadonlySet<string>>
  private readonly leaves: ReadonlySet<string>
  private readonly tasks = new Map<string, TaskDefinition>()
  private readonly links = new Map<string, Link>()

  constructor(
    module: Pick<FunctionModule, 'function' | 'inline' | 'leaves'>,
    definitions: readonly TaskDefinition[],
    readonly info: Pick<SandboxInfo, 'setup' | 'timeoutMs'>,
    readonly transport: Transport | undefined,
  ) {
    this.function = module.function
    const { call, send, map } = module.inline
    this.inline = { call: new Set(call), send: new Set(send), map: new Set(map) }
    this.leaves = new Set(module.leaves)
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

  log(entry: LogEntry): void {
    this.transport?.log(entry)
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
  protected override route(): 'inline' {
    return 'inline'
  }
}
