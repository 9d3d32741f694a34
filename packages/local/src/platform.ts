import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Build, Facts, InvokeResult, Platform, PlatformStatus } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { type BucketDefinition, bucketOf, isDelivery, refsIn } from 'fusionize/buckets'
import { errorToWire, type Outcome } from 'fusionize/runtime'
import { setupId } from 'fusionize/setup'
import { Buckets, type SessionState } from './buckets/index.js'
import { LargeObjects } from './buckets/large.js'
import { limitsOf } from './capacity.js'
import { createEmulation } from './emulation/index.js'
import { DataPassing } from './emulation/passing.js'
import { passingFacts } from './emulation/passing-facts.js'
import { openGroups, unlimited } from './engine/cgroup.js'
import { Deployment } from './engine/deployment.js'
import { Deployments } from './engine/deployments.js'
import { Engine } from './engine/engine.js'
import { queueFull, shuttingDown, unknownTask } from './engine/failures.js'
import type { Job } from './engine/job.js'
import { outcomeOf } from './engine/parts.js'
import { startProcess } from './engine/process-host.js'
import { quotaFacts, restMsOf } from './engine/quota-facts.js'
import { SpinHost } from './engine/spin-host.js'
import { startThread } from './engine/thread-host.js'
import { createGateway, type Gateway } from './gateway/index.js'
import { openSocket, type SocketEntry } from './gateway/socket.js'
import { newId } from './ids.js'
import { type LocalPlatformOptions, settingsOf } from './local-options.js'
import { Logs, type LogsPage } from './logs.js'
import { createObjectStore } from './objects/index.js'
import { type AcceptedSend, createSends } from './outbox/index.js'
import { outsideCalls } from './outside-calls.js'
import { PinnedSends } from './pinned-sends.js'
import { mbPerCore, memoryLadder, prices } from './prices.js'
import { openRecords } from './records.js'
import type { Send } from './send.js'
import { mapError, mapPlaces } from './source-maps.js'

export interface LocalPlatform extends Platform {
  /** What the platform knows of a session, for debugging; undefined when that is nothing. */
  session(id: string): Promise<(SessionState & { running: number; setup: string | null }) | undefined>
  /** Fires what waits in queues that say `flush`: no more objects come. @returns how many firings, when they are kept */
  flush(): Promise<number>
  /** What the functions wrote: through their context's log, and to standard output and error. */
  logs(since?: string): Promise<LogsPage>
  /** Path of the socket for clients on this machine (`@fusionize/local/client`), when it is open. */
  readonly socket?: string | undefined
}

/**
 * Starts the embedded platform: one machine, with sandboxes as processes or threads.
 * @throws {FusionizeError} `INVALID_CONFIG` for an unknown option or emulation, a port that is taken, a public host without token
 */
export async function createLocalPlatform(options: LocalPlatformOptions): Promise<LocalPlatform> {
  const settings = settingsOf(options)
  const { dir, isolation, emulate, seed, durability, retries, retryDelayMs } = settings
  const newEmulation = () => (emulate === undefined ? undefined : createEmulation(emulate, seed))
  newEmulation()
  const { emulatePassing } = settings
  const passing = emulatePassing
    ? new DataPassing({ ...passingFacts, ...(typeof emulatePassing === 'object' && emulatePassing) })
    : undefined
  mkdirSync(dir, { recursive: true })
  // Before the sends: those of an earlier run ask for the retries of their tasks as soon as they are read.
  const deployments: Deployments = new Deployments((deployment) => engine.retire(deployment))
  const objects = join(dir, 'objects')
  const store = createObjectStore({
    dir: objects,
    durability,
    memoryBytes: settings.objectMemoryMb * 2 ** 20,
    diskBytes: settings.objectDiskMb * 2 ** 20,
  })
  const large = new LargeObjects(store, isolation === 'threads', durability !== 'none')
  const buckets: Buckets = new Buckets(
    {
      append: (events) => sends.append(events),
      accept: (firings) => acceptAll(firings),
      cancel: (session, run) => engine.cancel(session, run),
      log: (level, session, message) => logs.add({ ...ownLog, level, session, message, time: Date.now() }),
      isOpen: (session) => deployments.all.some((deployment) => deployment.sessions.has(session)),
      large,
      isAccepted: (id) => sends.knows(id),
      findSend: (session, task) => sends.find(session, task),
      again(send) {
        engine.cancel(send.session, send.id)
        pinned.again(send)
      },
      bury: (send, error) => pinned.bury(send, error),
      restart(session, as) {
        const deployment = deployments.all.find(({ roots }) => roots.has(session))
        const root = deployment?.roots.get(session)
        if (deployment === undefined || root === undefined) return false
        const { task, input } = root
        deployment.roots.set(as, root)
        const send = {
          id: newId(),
          session: as,
          function: task,
          task,
          input,
          trace: newId(),
          parent: '',
          setup: deployment.id,
        }
        pinned
          .accept([send])
          .catch((error: unknown) =>
            logs.add({ ...ownLog, level: 'error', session, message: String(error), time: Date.now() }),
          )
        return true
      },
      currentSetup: () => deployments.current?.id ?? '',
      now: Date.now,
    },
    settings.dev,
  )
  const sends = createSends({
    dir,
    durability,
    retries,
    retriesOf,
    retryDelayMs,
    run: runSend,
    also: buckets,
    finished: (input) => large.finished(input),
    over: (id) => pinned.over(id),
    replays: ({ session }) => (buckets.isOver(session) ? `${session}+` : undefined),
  })
  const records = openRecords(dir)
  const spin = settings.spin ? new SpinHost() : undefined
  const logs = new Logs()
  const groups =
    isolation === 'threads'
      ? unlimited('sandboxes are threads, which share all cores; use isolation: processes for CPU shares')
      : openGroups()
  const quota = groups.enforced ? quotaFacts() : undefined
  const engine = new Engine(
    {
      ...settings,
      ...limitsOf(settings.maxSandboxes, settings.queueLimit, quota ? restMsOf(quota) : 0),
      objects: join(dir, 'objects', 'new'),
    },
    {
      startHost:
        isolation === 'threads'
          ? (request, events) => startThread(request, events, spin)
          : (request, events) => startProcess(request, events, groups),
      accept: (items, heldBy) =>
        acceptAll(
          items.map((item) => ({ ...item, input: large.internText(item.input) })),
          heldBy,
        ),
      settled: (id, outcome) => sends.settled(id, outcome),
      held: (id) => pinned.find(id),
      release: (id, sandbox) => sends.release(id, sandbox),
      orphan: (sandbox) => sends.orphan(sandbox),
      buckets,
      record: (line) => records.add(line),
      log: (entry) => logs.add({ ...entry, message: mapPlaces(entry.message) }),
    },
  )
  const pinned = new PinnedSends(deployments, sends, ({ input }) => large.renewed(input))
  let deployed: () => void = () => {}
  const firstDeployment = new Promise<void>((resolve) => {
    deployed = resolve
  })
  let gateway: Gateway | undefined
  let socket: SocketEntry | undefined
  let closed = false
  let recovered = false

  async function acceptAll(items: Send[], heldBy?: string): Promise<readonly string[]> {
    buckets.expectations.sent(items)
    const known = await pinned.accept(items, heldBy)
    buckets.accepted(items)
    return known
  }

  function retriesOf(task: string): number {
    return deployments.current?.task(task)?.retries ?? retries
  }

  async function runSend(send: AcceptedSend): Promise<Outcome> {
    // Sends of an earlier run of the platform wait for code to run them with.
    await firstDeployment
    return pinned.run(
      send,
      (deployment) =>
        new Promise((resolve) => {
          const request = {
            id: send.id,
            session: send.session,
            task: send.task,
            mode: 'send' as const,
            external: send.parent === '' && !isDelivery(send.input),
            attempt: send.attempt,
            // Accepted is accepted: it waits for a sandbox as long as it takes.
            deadline: Number.MAX_SAFE_INTEGER,
            limitMs: engine.timeoutOf(deployment, send.task),
            trace: send.trace,
            parent: send.parent === '' ? null : send.parent,
            input: send.input,
          }
          engine.submit(deployment, send.function, request, false, (ok, part) => resolve(outcomeOf(ok, part)))
        }),
    )
  }

  function deploymentFor(task: string, session: string): Deployment {
    if (closed) throw shuttingDown()
    const deployment = deployments.forSession(session)
    if (deployment === undefined)
      throw new FusionizeError('UNKNOWN_TASK', `nothing is deployed yet; deploy a setup before task '${task}' can run`)
    if (deployment.poolFor(task, task) === undefined) throw unknownTask(task, deployment.id)
    return deployment
  }

  function newDeployment(setup: string, build: Build, forceCold: boolean): Deployment {
    const deployment = new Deployment(setup, build, forceCold, newEmulation(), passing)
    deployment.onQuiet = (session) => buckets.quiet(session)
    return deployment
  }

  /** After the first deployment: sessions of an earlier run that have work are under way, all others with objects are over. */
  async function recover(): Promise<void> {
    recovered = true
    const lost = await store.recover([
      ...buckets.refs(),
      ...sends.inputs().flatMap((input) => refsIn(input).map(({ ref }) => ref)),
    ])
    if (lost.length > 0)
      logs.add({
        ...ownLog,
        level: 'error',
        session: '',
        message: `${lost.length} objects of buckets are gone from ${objects}`,
        time: Date.now(),
      })
    pinned.adopt(sends.unfinished())
    buckets.recovered()
  }

  const entries = {
    buckets,
    hold: (send: Send, sandbox: string) => pinned.accept([send], sandbox),
    settled: (id: string, outcome: Outcome) => sends.settled(id, outcome),
  }
  const begin = outsideCalls(engine, deploymentFor, settings.timeoutMs, entries)

  const platform: LocalPlatform = {
    name: 'local',
    get socket() {
      return socket?.path
    },
    get url() {
      return gateway?.url
    },

    facts(): Facts {
      return {
        platform: 'local',
        memoryLadder,
        mbPerCore,
        cpuShareEnforced: groups.enforced,
        cpuShareReason: groups.reason,
        ...(quota && { cpuQuota: quota, restMs: restMsOf(quota) }),
        afterReply: 'runs',
        maxPayloadBytes: { call: settings.bodyLimit, send: settings.bodyLimit },
        maxTimeoutMs: 15 * 60 * 1000,
        prices,
        durability,
        ...(emulate === undefined ? {} : { emulate }),
        ...(passing && { passing: passing.words }),
      }
    },

    async deploy(build, { forceCold = false } = {}) {
      if (closed) throw shuttingDown()
      const setup = setupId(build.setup)
      const changed = changedFunctions(deployments.current?.build, build)
      if (!passing && passesData(build))
        logs.add({
          ...ownLog,
          level: 'warn',
          session: '',
          message: `setup ${setup} passes data by 'direct' or 'store'; without local.emulatePassing it goes as every payload does`,
          time: Date.now(),
        })
      buckets.define(await bucketsOf(build))
      const same = deployments.byId(setup)
      if (same && same.forceCold === forceCold && changedFunctions(same.build, build).length === 0)
        deployments.traffic({ [setup]: 1 })
      else deployments.add(newDeployment(setup, build, forceCold))
      if (!recovered) await recover()
      deployed()
      gateway?.refresh()
      return { setup, changed }
    },

    async traffic(weights) {
      deployments.traffic(weights)
      gateway?.refresh()
    },

    async invoke(task, input, options = {}): Promise<InvokeResult> {
      const { signal, session = newId() } = options
      return new Promise((resolve) => {
        const job = begin(task, input, { ...options, session }, (ok, part) => {
          signal?.removeEventListener('abort', abort)
          resolve({ ...outcomeOf(ok, part), session })
        })
        function abort(): void {
          if (job) engine.abandon(job)
          const error = new FusionizeError('CANCELLED', `the call of task '${task}' was cancelled by its caller`)
          resolve({ ok: false, error: errorToWire(error), session })
        }
        if (job === undefined || job.state === 'over') return
        if (signal?.aborted) abort()
        else signal?.addEventListener('abort', abort)
      })
    },

    async send(task, input, { session = newId(), id = newId() } = {}) {
      const deployment = deploymentFor(task, session)
      const pool = deployment.poolFor(task, task)
      if (pool && pool.outer.size >= settings.queueLimit) throw queueFull(pool, settings.queueLimit)
      const { id: setup } = deployment
      await pinned.accept([{ id, session, function: task, task, input, trace: newId(), parent: '', setup }])
      return { id, session }
    },

    records: async (since) => records.since(since),
    logs: async (since) => logs.since(since),
    async session(id) {
      const deployment = deployments.all.find(({ sessions }) => sessions.has(id))
      const state = buckets.inspect(id)
      if (deployment === undefined && state === undefined) return undefined
      const none = { ended: false, leasedTo: null, awaits: null, expected: [], buckets: {} }
      return { running: deployment?.sessions.get(id) ?? 0, setup: deployment?.id ?? null, ...(state ?? none) }
    },
    deadLetters: async () => sends.deadLetters().map((letter) => ({ ...letter, error: mapError(letter.error) })),
    replay: (ids) => sends.replay(ids),
    async flush() {
      if (closed) throw shuttingDown()
      return buckets.flush()
    },
    status: async () => ({
      ...statusOf(deployments),
      sends: sends.stats(),
      ...(deployments.current?.build.buckets && { buckets: buckets.status() }),
      ...(gateway === undefined ? {} : { url: gateway.url }),
    }),

    async drained() {
      do {
        await engine.drained()
        await sends.drained()
      } while (engine.open > 0)
    },

    async destroy() {
      if (closed) return
      closed = true
      await Promise.all([gateway?.close(), socket?.close()])
      // The engine first: what its sandboxes still finish is noted, what they leave is for the next start.
      buckets.close()
      await engine.close()
      await sends.close()
      await store.close()
      groups.close()
      records.close()
    },
  }

  try {
    if (settings.gateway) {
      const { host, port, token, bodyLimit, dev, onRequest } = settings
      const { invoke } = platform
      const routes = () =>
        Object.values(deployments.current?.build.app.tasks ?? {}).flatMap(({ name, http }) =>
          http ? [{ ...http, task: name }] : [],
        )
      gateway = await createGateway({ host, port, token, bodyLimit, dev, onRequest, routes, invoke, control: platform })
    }
    if (settings.socket) {
      const path = settings.socket === true ? join(dir, 'fusionize.sock') : settings.socket
      const abandon = (job: Job) => engine.abandon(job)
      socket = await openSocket({ path, bodyLimit: settings.bodyLimit, begin, abandon })
    }
  } catch (error) {
    await platform.destroy()
    throw error
  }
  return platform
}

/** What the platform itself logs, in the place of a function. */
const ownLog = { task: '', function: '', sandbox: '', stream: 'log' as const }

/** The buckets of a build, from the module that it has for them: their triggers are code. */
async function bucketsOf(build: Build): Promise<BucketDefinition[]> {
  if (build.buckets === undefined) return []
  const module = (await import(pathToFileURL(build.buckets.file).href)) as { buckets: unknown[] }
  return module.buckets.map(bucketOf).filter((definition) => definition !== undefined)
}

/** Whether a function hands data over in a way that this platform only emulates. */
function passesData({ setup }: Build): boolean {
  return Object.values(setup.functions).some(({ passing }) =>
    Object.values(passing).some((how) => how === 'direct' || how === 'store'),
  )
}

function statusOf(deployments: Deployments): Pick<PlatformStatus, 'platform' | 'setups' | 'functions'> {
  const serving = deployments.all.filter((deployment) => deployment.weight > 0 || deployment.sessions.size > 0)
  return {
    platform: 'local',
    setups: serving.map(({ id, weight, sessions }) => ({ id, weight, sessions: sessions.size })),
    functions: serving.flatMap((deployment) =>
      [...deployment.pools.values()].map((pool) => {
        const busy = [...pool.sandboxes].filter((sandbox) => sandbox.jobs.size > 0).length
        const { starting } = pool
        const sandboxes = { starting, idle: pool.sandboxes.size - starting - busy, busy }
        return { function: pool.function, setup: deployment.id, sandboxes, queued: pool.queued }
      }),
    ),
  }
}

/** Functions whose code or settings differ between two builds. */
function changedFunctions(before: Build | undefined, after: Build): string[] {
  const names = new Set([...Object.keys(before?.artifacts ?? {}), ...Object.keys(after.artifacts)])
  const face = (build: Build | undefined, name: string) =>
    JSON.stringify([build?.artifacts[name]?.hash, build?.setup.functions[name], build?.env])
  return [...names].filter((name) => face(before, name) !== face(after, name)).sort()
}
