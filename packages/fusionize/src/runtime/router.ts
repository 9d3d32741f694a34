import type { TaskDefinition } from '../definition.js'
import type { Mode, Route } from '../setup/types.js'
import { type DevCheck, noCheck } from './dev.js'
import type { FunctionModule, LogEntry, SandboxInfo, Transport } from './protocol.js'

/** What one function knows about routing: where each call goes, and how to get there. */
export class Router {
  readonly function: string
  readonly #inline: Record<Mode, ReadonlySet<string>>
  readonly #tasks = new Map<string, TaskDefinition>()
  readonly #index = new Map<string, number>()
  /** Task names by the index that spans carry. */
  readonly names: string[] = []
  check: DevCheck = noCheck

  constructor(
    module: Pick<FunctionModule, 'function' | 'inline'>,
    definitions: readonly TaskDefinition[],
    readonly info: Pick<SandboxInfo, 'setup' | 'timeoutMs'>,
    readonly transport: Transport | undefined,
  ) {
    this.function = module.function
    this.#inline = {
      call: new Set(module.inline.call),
      send: new Set(module.inline.send),
      map: new Set(module.inline.map),
    }
    for (const definition of definitions) {
      this.#tasks.set(definition.name, definition)
      this.indexOf(definition.name)
    }
  }

  task(name: string): TaskDefinition | undefined {
    return this.#tasks.get(name)
  }

  /** O(1): one set look-up. A task whose code is not here is remote, whatever the table says. */
  routeOf(definition: TaskDefinition, mode: Mode): Route {
    return definition.body !== undefined && this.#inline[mode].has(definition.name) ? 'inline' : 'remote'
  }

  indexOf(name: string): number {
    let index = this.#index.get(name)
    if (index === undefined) {
      index = this.names.push(name) - 1
      this.#index.set(name, index)
    }
    return index
  }

  log(entry: LogEntry): void {
    this.transport?.log(entry)
  }
}

/** Routes for tasks that run outside a function: everything is here. */
export class PlainRouter extends Router {
  override routeOf(): Route {
    return 'inline'
  }
}
