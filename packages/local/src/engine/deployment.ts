import type { Build } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import type { Payload } from 'fusionize/runtime'
import type { TaskInfo } from 'fusionize/setup'
import type { Emulation } from '../emulation/index.js'
import type { DataPassing } from '../emulation/passing.js'
import { type Ahead, aheadOf, startsAhead, Width } from './ahead.js'
import { Pool } from './pool.js'

/** A setup in effect: its functions and the sessions that are pinned to it. */
export class Deployment {
  /** Work under way by session; a session is over when nothing of it is. */
  readonly sessions = new Map<string, number>()
  /** What sessions began with, in apps with buckets: for those that run again as a whole. */
  readonly roots = new Map<string, { task: string; input: Payload }>()
  readonly pools = new Map<string, Pool>()
  /** By task, the first function that contains it. */
  readonly #hosts = new Map<string, Pool>()
  weight = 0
  /** What a request at a task starts ahead, by task as they come; absent when the setup starts nothing ahead. */
  readonly #ahead: Map<string, Ahead[]> | undefined
  /** Called when the last session is over. */
  onIdle: (deployment: Deployment) => void = () => {}
  /** Called when nothing of the session is under way. */
  onQuiet: (session: string) => void = () => {}

  constructor(
    readonly id: string,
    readonly build: Build,
    readonly forceCold: boolean,
    /** Delays of its own, so that every deployment draws the same. */
    readonly emulation: Emulation | undefined,
    /** How data goes to other functions, where that is emulated. */
    readonly passing?: DataPassing,
  ) {
    for (const [name, artifact] of Object.entries(build.artifacts)) {
      const spec = build.setup.functions[name]
      if (!spec)
        throw new FusionizeError('INVALID_SETUP', `the build has an artifact of '${name}', its setup no function`)
      const pool = new Pool(this, artifact, spec)
      this.pools.set(name, pool)
      for (const task of artifact.tasks) if (!this.#hosts.has(task)) this.#hosts.set(task, pool)
    }
    if (startsAhead(this)) this.#ahead = new Map()
  }

  task(name: string): TaskInfo | undefined {
    return Object.hasOwn(this.build.app.tasks, name) ? this.build.app.tasks[name] : undefined
  }

  /**
   * The pool that runs `task`: the function asked for if it contains the task, else the task's own, else the first that contains it (a
   * send may come from a setup in which the task had a function, and run in one where it is only inlined).
   */
  poolFor(task: string, fn: string): Pool | undefined {
    const asked = this.pools.get(fn)
    return asked?.artifact.tasks.includes(task) ? asked : (this.pools.get(task) ?? this.#hosts.get(task))
  }

  /** What the arrival of a request at the task starts ahead; undefined when nothing. */
  aheadOf(task: string): readonly Ahead[] | undefined {
    if (this.#ahead === undefined) return undefined
    let ahead = this.#ahead.get(task)
    if (ahead === undefined) {
      ahead = aheadOf(this, task)
      for (const { pool } of ahead) pool.width ??= new Width()
      this.#ahead.set(task, ahead)
    }
    return ahead
  }

  enter(session: string): void {
    this.sessions.set(session, (this.sessions.get(session) ?? 0) + 1)
  }

  leave(session: string): void {
    const open = (this.sessions.get(session) ?? 1) - 1
    if (open > 0) {
      this.sessions.set(session, open)
      return
    }
    this.sessions.delete(session)
    this.roots.delete(session)
    this.onQuiet(session)
    if (this.sessions.size === 0) this.onIdle(this)
  }
}
