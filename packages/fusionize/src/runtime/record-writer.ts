import { RECORD_VERSION } from '../record.js'
import type { Run } from './frames.js'
import type { FunctionModule, SandboxInfo } from './protocol.js'
import type { Router } from './router.js'
import { clock } from './spans.js'

/** Ms between two readings of the peak memory: one costs 5 to 15 µs, as much as all else in a record. */
const RSS_PAUSE_MS = 20
/** A record of a function with more tasks names only those that ran. */
const MANY_NAMES = 16

/** @returns a function that writes the record line of a run that is done; `concurrent`: requests in this sandbox at that time */
export function recordWriter(
  module: FunctionModule,
  info: SandboxInfo,
  router: Router,
): (run: Run, concurrent: number) => string {
  const fixed = JSON.stringify({
    v: RECORD_VERSION,
    app: module.app,
    setup: info.setup,
    function: module.function,
    sandbox: info.sandbox,
    memory: info.memory,
  }).slice(0, -1)
  let names = ''
  let named = -1
  let peakMb = 0
  let readAt = Number.NEGATIVE_INFINITY
  return (run, concurrent) => {
    const { request, spans } = run
    const now = clock()
    if (now - readAt >= RSS_PAUSE_MS) {
      readAt = now
      peakMb = Math.round(process.resourceUsage().maxRSS / 1024)
    }
    if (router.names.length > MANY_NAMES) names = JSON.stringify(spans.nameAnew(router.names))
    else if (named !== router.names.length) {
      named = router.names.length
      names = JSON.stringify(router.names)
    }
    const rest = JSON.stringify({
      task: request.task,
      invocation: request.id,
      session: request.session,
      trace: request.trace,
      span: run.spanId,
      parent: request.parent,
      mode: request.mode,
      attempt: request.attempt,
      cold: request.cold,
      coldKind: request.coldKind,
      start: performance.timeOrigin + spans.origin,
      reply: run.replied / 1000,
      wall: spans.now() / 1000,
      cpu: run.cpuMs ?? spans.cpuMs,
      peakMb,
      concurrent,
      fired: run.fired,
      items: run.items,
      b: run.data?.figures(),
      e: spans.errors,
    })
    return `${fixed},${rest.slice(1, -1)},"names":${names},"s":"${spans.finish()}"}`
  }
}
