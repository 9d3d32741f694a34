import { randomFillSync } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import type {
  Build,
  DeployOptions,
  Facts,
  InvokeOptions,
  InvokeResult,
  Platform,
  PlatformStatus,
} from '@fusionize/platform'
import type { LocalOptions } from 'fusionize'
import { FusionizeError } from 'fusionize'
import { errorToWire, type Outcome, type Payload } from 'fusionize/runtime'
import { setupId } from 'fusionize/setup'
import { createEmulation } from './emulation/index.js'
import { openGroups, unlimited } from './engine/cgroup.js'
import { Deployment } from './engine/deployment.js'
import { Deployments } from './engine/deployments.js'
import { Engine, outcomeOf, type Send } from './engine/engine.js'
import { queueFull, shuttingDown, unknownTask } from './engine/failures.js'
import { startProcess } from './engine/process-host.js'
import { startThread } from './engine/thread-host.js'
import { createGateway, type Gateway, type RequestLog } from './gateway/index.js'
import { Logs, type LogsPage } from './logs.js'
import { createSends } from './outbox/index.js'
import { awsLambdaX86, memoryLadder } from './prices.js'
import { openRecords } from './records.js'

/** `LocalOptions` with what only the one who starts the platform knows. */
export interface LocalPlatformOptions extends LocalOptions {
  /** Folder of the platform's state, usually `.fusionize`; made when it does not exist. */
  dir: string
  app: string
  /** Functions report inputs that they change and values that would not survive the wire. @default false */
  dev?: boolean
  /** Of emulated delays; every deployment draws from the start. @default 1 */
  seed?: number
  /** Serves entries over HTTP. @default true */
  gateway?: boolean
  /** Told of every request that the gateway answered. */
  onRequest?: (request: RequestLog) => void
}

export interface LocalPlatform extends Platform {
  /** What the functions wrote: through their context's log, and to standard output and error. */
  logs(since?: string): Promise<LogsPage>
}

/** Defaults of `LocalOptions`. */
export const defaults = {
  isolation: 'processes',
  durability: 'journal',
  keepAliveMs: 600_000,
  queueLimit: 1000,
  host: '127.0.0.1',
  port: 7070,
  bodyLimit: 6 * 1024 * 1024,
  timeoutMs: 30_000,
  retries: 2,
  retryDelayMs: 1000,
  sampleCpuEvery: 10,
  dev: false,
  seed: 1,
  gateway: true,
} as const

const MB_PER_CORE = 1769

/**
 * Starts the embedded platform: one machine, with sandboxes as processes or threads.
 * @throws {FusionizeError} `INVALID_CONFIG` for an unknown emulation
 */
export async function createLocalPlatform(options: LocalPlatformOptions): Promise<LocalPlatform> {
  const settings = { ...defaults, ...options }
  const { dir, isolation, emulate, seed, retries } = settings
  mkdirSync(dir, { recursive: true })
  if (emulate !== undefined) createEmulation(emulate, seed)
  const records = openRecords(dir)
  const logs = new Logs()
  const groups =
    isolation === 'threads'
      ? unlimited('sandboxes are threads, which share the platform’s cores; use isolation: processes for CPU shares')
      : openGroups()
  let closed = false
  let deployed: () => void = () => {}
  const firstDeployment = new Promise<void>((resolve) => {
    deployed = resolve
  })

  const { durability, retryDelayMs } = settings
  const sends = createSends({ dir, durability, retries, retriesOf, retryDelayMs, run: runSend })
  /** Sends whose deployment must stay until they are done. */
  const pinned = new Map<string, { deployment: Deployment; send: Send }>()

  const engine = new Engine(
    {
      capacity: settings.maxSandboxes ?? Math.floor((totalmem() / 2 ** 20) * 0.75),
      weightOf: settings.maxSandboxes === undefined ? (pool) => expectedMb(pool.spec.memory) : () => 1,
      ceiling: ceilingOf(settings.maxSandboxes),
      startsAtOnce: Math.max(2, availableParallelism()),
      queueLimit: settings.queueLimit,
      timeoutMs: settings.timeoutMs,
      keepAliveMs: settings.keepAliveMs,
      sampleCpuEvery: settings.sampleCpuEvery,
      dev: settings.dev,
    },
    {
      startHost: isolation === 'threads' ? startThread : (request, events) => startProcess(request, events, groups),
      accept,
      settled(id, outcome) {
        sends.settled(id, outcome)
        unpinAfter(pinned.get(id)?.send.task ?? '', id, 1, outcome)
      },
      orphan: (sandbox) => sends.orphan(sandbox),
      record: (line) => records.add(line),
      log: (entry) => logs.add(entry),
    },
  )
  const deployments = new Deployments((deployment) => engine.retire(deployment))

  async function accept(items: Send[], heldBy?: string): Promise<readonly string[]> {
    const accepted = Date.now()
    // Pinned first: a send may be done before its acceptance is known here.
    const fresh = items.filter(pin)
    const release = (ids: readonly string[]) => {
      for (const send of fresh) if (ids.includes(send.id)) unpin(send.id)
    }
    try {
      const known = await sends.accept(
        items.map((send) => ({ ...send, accepted, attempt: 1 })),
        heldBy,
      )
      if (known.length > 0) release(known)
      return known
    } catch (error) {
      release(items.map((send) => send.id))
      throw error
    }
  }

  /** The send's session stays on the deployment that it began with. */
  function pin(send: Send): boolean {
    const deployment = deployments.byId(send.setup)
    if (deployment === undefined || pinned.has(send.id)) return false
    pinned.set(send.id, { deployment, send })
    deployment.enter(send.session)
    return true
  }

  function unpin(id: string): void {
    const found = pinned.get(id)
    pinned.delete(id)
    found?.deployment.leave(found.send.session)
  }

  /** After a run of the send: unless it will be tried again, its session need not wait for it. */
  function unpinAfter(task: string, id: string, attempt: number, outcome: Outcome): void {
    if (outcome.ok || attempt > retriesOf(task)) unpin(id)
  }

  function retriesOf(task: string): number {
    return deployments.current?.task(task)?.retries ?? retries
  }

  async function runSend(send: Send & { attempt: number }): Promise<Outcome> {
    if (deployments.current === undefined) await firstDeployment
    const deployment = deployments.byId(send.setup) ?? deployments.current
    if (deployment === undefined) return { ok: false, error: errorToWire(shuttingDown()) }
    const outcome = await new Promise<Outcome>((resolve) => {
      const request = {
        id: send.id,
        session: send.session,
        task: send.task,
        mode: 'send' as const,
        external: send.parent === '',
        attempt: send.attempt,
        deadline: Date.now() + engine.timeoutOf(deployment, send.task),
        trace: send.trace,
        parent: send.parent === '' ? null : send.parent,
        input: send.input,
      }
      engine.submit(deployment, send.function, request, false, (ok, part) => resolve(outcomeOf(ok, part)))
    })
    unpinAfter(send.task, send.id, send.attempt, outcome)
    return outcome
  }

  function newSession(task: string, session: string): Deployment {
    if (closed) throw shuttingDown()
    const deployment = deployments.forSession(session)
    if (deployment === undefined)
      throw new FusionizeError('UNKNOWN_TASK', `nothing is deployed yet; deploy a setup before task '${task}' can run`)
    if (deployment.poolFor(task, task) === undefined) throw unknownTask(task, deployment.id)
    return deployment
  }

  let gateway: Gateway | undefined
  const platform: LocalPlatform = {
    name: 'local',

    facts(): Facts {
      return {
        platform: 'local',
        memoryLadder,
        mbPerCore: MB_PER_CORE,
        cpuShareEnforced: groups.enforced,
        cpuShareReason: groups.reason,
        afterReply: 'runs',
        maxPayloadBytes: { call: settings.bodyLimit, send: settings.bodyLimit },
        maxTimeoutMs: 15 * 60 * 1000,
        prices: awsLambdaX86,
        durability: settings.durability,
        ...(emulate === undefined ? {} : { emulate }),
      }
    },

    async deploy(build: Build, { forceCold = false }: DeployOptions = {}) {
      if (closed) throw shuttingDown()
      const id = setupId(build.setup)
      const before = deployments.current
      const changed = changedFunctions(before?.build, build)
      const same = deployments.byId(id)
      if (same && same.forceCold === forceCold && changedFunctions(same.build, build).length === 0) {
        deployments.traffic({ [id]: 1 })
        return { setup: id, changed }
      }
      deployments.add(
        new Deployment(id, build, forceCold, emulate === undefined ? undefined : createEmulation(emulate, seed)),
      )
      gateway?.refresh()
      deployed()
      return { setup: id, changed }
    },

    async traffic(weights) {
      deployments.traffic(weights)
    },

    async invoke(task: string, input: Payload, options: InvokeOptions = {}): Promise<InvokeResult> {
      const session = options.session ?? newId(16)
      let deployment: Deployment
      try {
        deployment = newSession(task, session)
      } catch (error) {
        return { ok: false, error: errorToWire(error), session }
      }
      const { trace, parent } = traceOf(options.traceparent)
      const request = {
        id: newId(16),
        session,
        task,
        mode: 'call' as const,
        external: true,
        attempt: 1,
        deadline: Date.now() + (options.timeoutMs ?? engine.timeoutOf(deployment, task)),
        trace,
        parent,
        input,
      }
      return new Promise((resolve) => {
        const { signal } = options
        const job = engine.submit(deployment, task, request, false, (ok, part) => {
          signal?.removeEventListener('abort', abort)
          resolve({ ...outcomeOf(ok, part), session })
        })
        function abort(): void {
          if (job) engine.abandon(job)
          const error = new FusionizeError('CANCELLED', `the call of task '${task}' was cancelled by its caller`)
          resolve({ ok: false, error: errorToWire(error), session })
        }
        if (signal?.aborted) abort()
        else signal?.addEventListener('abort', abort)
      })
    },

    async send(task, input, options = {}) {
      const session = options.session ?? newId(16)
      const deployment = newSession(task, session)
      const pool = deployment.poolFor(task, task)
      if (pool && pool.outer.size >= settings.queueLimit) throw queueFull(pool, settings.queueLimit)
      const id = options.id ?? newId(16)
      const send = { id, session, function: task, task, input, trace: newId(16), parent: '', setup: deployment.id }
      await accept([send])
      return { id, session }
    },

    async records(since) {
      return records.since(since)
    },

    async logs(since) {
      return logs.since(since)
    },

    async deadLetters() {
      return sends.deadLetters()
    },

    async replay(ids) {
      return sends.replay(ids)
    },

    async status(): Promise<PlatformStatus> {
      const all = deployments.all
      return {
        platform: 'local',
        setups: all
          .filter((deployment) => deployment.weight > 0 || deployment.sessions.size > 0)
          .map(({ id, weight, sessions }) => ({ id, weight, sessions: sessions.size })),
        functions: all.flatMap((deployment) =>
          [...deployment.pools.values()]
            .filter((pool) => deployment.weight > 0 || pool.sandboxes.size > 0)
            .map((pool) => ({
              function: pool.function,
              setup: deployment.id,
              sandboxes: {
                starting: pool.starting,
                idle: pool.free.filter((sandbox) => sandbox.jobs.size === 0).length,
                busy: [...pool.sandboxes].filter((sandbox) => sandbox.jobs.size > 0).length,
              },
              queued: pool.queued,
            })),
        ),
        sends: sends.stats(),
      }
    },

    async drained() {
      do {
        await engine.drained()
        await sends.drained()
      } while (engine.open > 0)
    },

    async destroy() {
      if (closed) return
      closed = true
      await gateway?.close()
      await sends.close()
      await engine.close()
      groups.close()
      records.close()
    },
    get url() {
      return gateway?.url
    },
  }
  if (settings.gateway) {
    const { host, port, token, bodyLimit, dev, onRequest } = settings
    const routes = () =>
      Object.values(deployments.current?.build.app.tasks ?? {}).flatMap(({ name, http }) =>
        http ? [{ ...http, task: name }] : [],
      )
    const { invoke } = platform
    try {
      gateway = await createGateway({ host, port, token, bodyLimit, dev, onRequest, routes, invoke, control: platform })
    } catch (error) {
      await platform.destroy()
      throw error
    }
  }
  return platform
}

/** MB that a sandbox is expected to use: most use far less than they may. */
function expectedMb(memoryMb: number): number {
  return 64 + memoryMb / 8
}

/** Sandboxes at most, those included that wait for calls and are no load. */
function ceilingOf(maxSandboxes: number | undefined): number {
  return maxSandboxes === undefined ? 512 : Math.max(4 * maxSandboxes, maxSandboxes + 32)
}

/** Functions whose code or settings differ between two builds. */
function changedFunctions(before: Build | undefined, after: Build): string[] {
  const names = new Set([...Object.keys(before?.artifacts ?? {}), ...Object.keys(after.artifacts)])
  const face = (build: Build | undefined, name: string) =>
    JSON.stringify([build?.artifacts[name]?.hash, build?.setup.functions[name], build?.env])
  return [...names].filter((name) => face(before, name) !== face(after, name)).sort()
}

const pool = Buffer.alloc(4096)
let poolAt = pool.length

/** Random hex of so many bytes. */
function newId(bytes: number): string {
  if (poolAt + bytes > pool.length) {
    randomFillSync(pool)
    poolAt = 0
  }
  poolAt += bytes
  return pool.toString('hex', poolAt - bytes, poolAt)
}

/** The W3C ids of a client's traceparent; new ones without it. */
function traceOf(traceparent: string | undefined): { trace: string; parent: string | null } {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(traceparent ?? '')
  return match ? { trace: match[1] as string, parent: match[2] as string } : { trace: newId(16), parent: null }
}
