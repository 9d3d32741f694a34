import { definitionOf } from '../definition.js'
import { FusionizeError, timeoutError } from '../errors.js'
import type { devCheck } from './dev.js'
import { Run, Unit } from './frames.js'
import type { FunctionModule, Handler, Invocation, InvocationPort, SandboxInfo, Transport } from './protocol.js'
import { recordWriter } from './record-writer.js'
import { Router } from './router.js'
import { failure, startRun } from './run.js'
import { clock } from './spans.js'
import { support } from './support.js'

/** Ms between two invocations whose CPU time is read at least: in a process with many threads a reading costs 10 µs. */
const SAMPLE_PAUSE_MS = 5

/**
 * The fusion handler of one function (DESIGN §6; Fusionize §"fusion handler"): runs the tasks it is asked to run, and routes every call they make.
 * @param module what the build put into the artifact
 * @param info what the platform says at the sandbox's start
 * @param transport how to reach other functions
 * @param newCheck looks at what crosses task boundaries while developing (`info.dev`)
 * @throws {FusionizeError} `BUILD_FAILED` when the module holds something that is no task
 */
export function createHandler(
  module: FunctionModule,
  info: SandboxInfo,
  transport: Transport,
  newCheck?: typeof devCheck,
): Handler {
  const definitions = module.tasks.map((value) => {
    const definition = definitionOf(value)
    if (definition) return definition
    throw new FusionizeError('BUILD_FAILED', `function '${module.function}' exports what is no task; build it again`)
  })
  const router = new Router(module, definitions, info, transport)
  if (info.dev && newCheck)
    router.check = newCheck((task, message) =>
      transport.log({ level: 'warn', task, session: '', message, time: Date.now() }),
    )
  const writeRecord = recordWriter(module, info, router)
  const units = new Map<string, { unit: Unit; timeoutMs: number; task: string }>()
  let count = 0
  let sampledAt = 0
  const leases = support.Leases && new support.Leases(router, info, transport, run, () => units.size)

  function run(request: Invocation, port: InvocationPort): void {
    const now = clock()
    const sampled = info.sampleCpuEvery > 0 && count++ % info.sampleCpuEvery === 0 && now - sampledAt >= SAMPLE_PAUSE_MS
    if (sampled) sampledAt = now
    const definition = router.task(request.task)
    const detached = request.mode === 'send' || (request.external && definition?.options.result !== undefined)
    const unit = new Unit(request, request.attempt, detached)
    units.set(request.id, { unit, task: request.task, timeoutMs: Math.max(0, request.deadline - Date.now()) })
    const concurrent = units.size
    const lease = leases?.of(request.session, request.lease === true)
    const whenDone = (over: Run) => {
      units.delete(request.id)
      // What waits for its turn here waits for this run, be its session leased (still) or not.
      const next = lease || leases?.waiting ? leases?.over(request.task, over.workedMs) : undefined
      port.done(() => writeRecord(over, concurrent), !!next)
      // Somebody waits for the answer: it leaves first.
      if (next && request.mode === 'call') process.nextTick(next)
      else next?.()
    }
    const started = new Run(router, request, unit, port, sampled, lease, whenDone)
    if (definition) {
      if (!router.maps?.start(started, definition)) startRun(started, definition)
      return
    }
    const message = `function '${module.function}' has no task '${request.task}'; it has ${router.names.join(', ')}`
    port.reply(failure(new FusionizeError('UNKNOWN_TASK', message)), [], [])
    started.open++
    started.close()
  }

  return {
    run(request, port) {
      leases?.tell()
      run(request, port)
    },
    recall(session) {
      leases?.recall(session)
    },
    cancel(id, reason) {
      leases?.tell()
      const found = units.get(id)
      if (found === undefined) support.stop?.(id)
      else
        found.unit.cancel(
          reason === 'timeout'
            ? timeoutError(found.task, found.timeoutMs)
            : new FusionizeError('CANCELLED', `task '${found.task}' was cancelled: nobody waits`),
        )
    },
  }
}
