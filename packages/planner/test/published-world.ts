import { type ModelSetup, seededRandom } from '@fusionize/planner'

/** A task of a made-up application: own work, then its calls, stage by stage. */
export interface MadeTask {
  /** Computing, ms of one core. */
  coreMs?: number
  waitMs?: number
  /** Calls of one stage begin together; `times` of one are `times` calls. */
  stages?: { to: string; mode: 'call' | 'send'; times?: number }[][]
}

export interface MadeLoad {
  app: Record<string, MadeTask>
  /** In turn. */
  entries: string[]
  setup: ModelSetup
  name: string
  requests: number
  seed: number
  everyMs?: number
  /** Every sandbox is new. */
  cold?: boolean
  /** Records as the export wrote them: with merged invocations, doubled calls, lost records. */
  merged?: boolean
  doubled?: boolean
  lostShare?: number
}

interface MadeCall {
  caller: string
  called: string
  local: boolean
  sync: boolean
  time: number
}

interface MadeRecord {
  traceId: string
  currentFunction: string
  memoryAvail: string
  isRootInvocation: boolean
  isColdStart: boolean
  startTimestamp: number
  endTimestamp: number
  billedDuration: number
  internalDuration: number
  calls: MadeCall[]
}

const PERIOD_MS = 20
/** Computing of a caller for one call: to send it and, if it waits, to read the reply. Ms of one core. */
const SEND_CORE_MS = 2.5
const READ_CORE_MS = 1
const NETWORK_MS = 6

/** A sandbox computes in turns on a clock of its own, as Linux does it: its quota comes back at every period's start, however long it idled. */
class Sandbox {
  private period = -1
  private used = 0

  constructor(
    private readonly quotaMs: number,
    private readonly phaseMs: number,
  ) {}

  /** @returns when it is done */
  compute(startMs: number, coreMs: number): number {
    let at = startMs
    for (let left = coreMs; left > 1e-9; ) {
      const period = Math.floor((at - this.phaseMs) / PERIOD_MS)
      if (period !== this.period) {
        this.period = period
        this.used = 0
      }
      const nextMs = this.phaseMs + (period + 1) * PERIOD_MS
      const step = Math.min(left, this.quotaMs - this.used, nextMs - at)
      if (step <= 1e-9) {
        at = nextMs
        continue
      }
      at += step
      left -= step
      this.used += step
    }
    return at
  }
}

/**
 * Records of a made-up application in the format of the 2023 prototype, from a world that steps through every period of every sandbox, with lognormal
 * tails of work and networks: nothing of the model is in it.
 * @returns lines, and what the requests really were like
 */
export function madeRecords(load: MadeLoad): { lines: string[]; latenciesMs: number[]; invocations: number } {
  const random = seededRandom(load.seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const spread = (ms: number, sigma: number) => ms * Math.exp(sigma * normal())
  const records: MadeRecord[] = []
  const latenciesMs: number[] = []

  const memoryOf = (fn: string) => load.setup.functions[fn]?.memory ?? 128
  const inlines = (fn: string, mode: 'call' | 'send', to: string) =>
    load.setup.functions[fn]?.inline[mode].includes(to) === true
  for (let i = 0; i < load.requests; i++) {
    const arrival = 1_700_000_000_000 + i * (load.everyMs ?? 100)
    const entry = load.entries[i % load.entries.length] as string
    const traceId = `${load.name}-${entry}-${memoryOf(entry)}-${i.toString(16)}`
    const mine: MadeRecord[] = []

    /** @returns its end, and until when its inline sends take */
    const runTask = (
      task: string,
      fn: string,
      startMs: number,
      sandbox: Sandbox,
      calls: MadeCall[],
    ): { endMs: number; awaitedMs: number } => {
      const { coreMs = 0, waitMs = 0, stages = [] } = load.app[task] as MadeTask
      let at = sandbox.compute(startMs, spread(coreMs, 0.06)) + waitMs
      let awaitedMs = at
      for (const stage of stages) {
        const done: { end: number; call: MadeCall }[] = []
        // One thread: what is side by side in a sandbox computes one after the other.
        let loopMs = at
        for (const { to, mode, times = 1 } of stage)
          for (let k = 0; k < times; k++) {
            const sync = mode === 'call'
            const local = inlines(fn, mode, to)
            let end: number
            if (local) {
              const inner = runTask(to, fn, loopMs, sandbox, calls)
              loopMs = inner.endMs
              awaitedMs = Math.max(awaitedMs, inner.awaitedMs)
              end = sync ? inner.endMs : at
            } else {
              loopMs = sandbox.compute(loopMs, spread(SEND_CORE_MS, 0.2))
              const there = loopMs + spread(NETWORK_MS, 0.4)
              const repliedMs = invoke(to, there, false)
              end = (sync ? repliedMs : there) + spread(NETWORK_MS, 0.4)
            }
            done.push({ end, call: { caller: fn, called: to, local, sync, time: 0 } })
          }
        done.sort((a, b) => a.end - b.end)
        for (const { end, call } of done) {
          const read = call.local ? end : sandbox.compute(end, READ_CORE_MS)
          calls.push({ ...call, time: Math.round(read - at) })
          loopMs = Math.max(loopMs, read)
        }
        at = Math.max(at, ...done.map(({ end, call }) => (call.local ? end : loopMs)))
      }
      return { endMs: at, awaitedMs: Math.max(awaitedMs, at) }
    }

    /** @returns when its caller has its answer */
    const invoke = (fn: string, at: number, isRoot: boolean): number => {
      const cold = load.cold === true || random() < 0.02
      const startMs = at + (cold ? 300 : 0)
      const sandbox = new Sandbox((PERIOD_MS * Math.min(1769, memoryOf(fn))) / 1769, startMs - random() * PERIOD_MS)
      const calls: MadeCall[] = []
      const begun = cold ? sandbox.compute(startMs, spread(40, 0.1)) : startMs
      const { awaitedMs } = runTask(fn, fn, begun, sandbox, calls)
      calls.push({ caller: fn, called: fn, local: true, sync: true, time: Math.round(awaitedMs - startMs) })
      const endMs = sandbox.compute(awaitedMs, spread(1, 0.3))
      mine.push({
        traceId,
        currentFunction: fn,
        memoryAvail: String(memoryOf(fn)),
        isRootInvocation: isRoot,
        isColdStart: cold,
        startTimestamp: Math.round(startMs),
        endTimestamp: Math.round(endMs),
        billedDuration: Math.ceil(endMs - startMs) + 1,
        internalDuration: Math.round(awaitedMs - startMs),
        calls,
      })
      if (isRoot) latenciesMs.push(Math.round(endMs) - Math.round(startMs))
      return awaitedMs
    }

    invoke(entry, arrival, true)
    records.push(...mine)
  }
  const invocations = records.length
  let written = records.filter((record) => record.isRootInvocation || random() >= (load.lostShare ?? 0))
  if (load.merged) written = mergedOf(written)
  if (load.doubled)
    written = written.map((record) => ({ ...record, calls: record.calls.flatMap((call) => [call, call]) }))
  return { lines: written.map((record) => JSON.stringify(record)), latenciesMs, invocations }
}

/** As the export did it: one record for all invocations of a function in a trace, with all their calls. */
function mergedOf(records: readonly MadeRecord[]): MadeRecord[] {
  const groups = new Map<string, MadeRecord>()
  for (const record of records) {
    const key = `${record.traceId} ${record.currentFunction}`
    const group = groups.get(key)
    if (!group) groups.set(key, { ...record })
    else
      groups.set(key, {
        ...group,
        startTimestamp: Math.min(group.startTimestamp, record.startTimestamp),
        endTimestamp: Math.max(group.endTimestamp, record.endTimestamp),
        calls: [...group.calls, ...record.calls],
      })
  }
  return [...groups.values()]
}
