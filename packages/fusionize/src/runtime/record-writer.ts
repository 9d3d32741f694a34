import { RECORD_VERSION } from '../record.js'
import { firedText } from './delivery.js'
import type { Run } from './frames.js'
import type { FunctionModule, SandboxInfo } from './protocol.js'
import type { Router } from './router.js'
import { clock } from './spans.js'
import { stringify } from './wire.js'

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
  const fixed = stringify({
    v: RECORD_VERSION,
    app: module.app,
    setup: info.setup,
    function: module.function,
    sandbox: info.sandbox,
    memory: info.memory,
  }).slice(0, -1)
  const session = remembered()
  const trace = remembered()
  let names = ''
  let named = -1
  let peakMb = 0
  let readAt = -RSS_PAUSE_MS
  return (run, concurrent) => {
    const { request, spans } = run
    const now = clock()
    if (now - readAt >= RSS_PAUSE_MS) {
      readAt = now
      peakMb = Math.round(process.resourceUsage().maxRSS / 1024)
    }
    if (router.names.length > MANY_NAMES) names = stringify(spans.nameAnew(router.names))
    else if (named !== router.names.length) {
      named = router.names.length
      names = stringify(router.names)
    }
    const { data, delivery } = run
    const start = performance.timeOrigin + spans.origin
    const fired = delivery && `{${firedText(delivery)},"waitMs":${start - delivery.at}}`
    run.data = undefined
    // A literal of all fields for JSON.stringify takes twice as long, and a record is a third of what a brief invocation costs.
    const ids = `"task":${stringify(request.task)},"invocation":${stringify(request.id)},"session":${session(request.session)},"trace":${trace(request.trace)},"span":"${run.spanId}","parent":${stringify(request.parent)}`
    const how = `"mode":"${request.mode}","attempt":${request.attempt},"cold":${request.cold}${option('coldKind', request.coldKind)}`
    const times = `"start":${start},"reply":${run.replied / 1000},"wall":${run.workedMs}${option('cpu', run.cpuMs ?? spans.cpuMs)}`
    const rest = `"peakMb":${peakMb},"concurrent":${concurrent}${option('items', run.items)}${json('fired', fired)}${json('b', data?.text())}${option('e', spans.errors)}`
    return `${fixed},${ids},${how},${times},${rest},"names":${names},"s":"${spans.finish()}"}`
  }
}

/** Of a value that is mostly the one before. */
function remembered(): (value: string) => string {
  let last: string
  let known: string
  return (value) => {
    if (value !== last) known = stringify(value)
    last = value
    return known
  }
}

function option(name: string, value: unknown): string {
  return value === undefined ? '' : json(name, stringify(value))
}

function json(name: string, value: string | undefined): string {
  return value ? `,"${name}":${value}` : ''
}
