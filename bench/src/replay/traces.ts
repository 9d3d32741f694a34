import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Published name → task of `apps/replay`. */
const tasks = {
  I: 'analyze-sensor',
  CW: 'check-sensor',
  SE: 'store-event',
  CT: 'check-temperature',
  CS: 'check-sound',
  CSL: 'check-sound-level',
  CSA: 'check-accident',
  CA: 'check-air',
  DJ: 'detect-jam',
  AS: 'action-signage',
} as const
type Name = keyof typeof tasks
const names = Object.keys(tasks) as Name[]

/** Calls that a task waits for, one after the other; those in one list at the same time. */
const waits: Partial<Record<Name, Name[][]>> = {
  I: [['CW'], ['SE'], ['CT', 'CS', 'CA']],
  CT: [['AS']],
  CS: [['CSL', 'CSA']],
  CA: [['DJ'], ['AS']],
}

interface Call {
  called: string
  local: boolean
  sync: boolean
  time: number
}

interface ForeignRecord {
  traceId: string
  currentFunction: Name
  memoryAvail: string
  billedDuration: number
  isRootInvocation: boolean
  isColdStart: boolean
  startTimestamp: number
  endTimestamp: number | null
  internalDuration: number
  calls: Call[]
}

/** One setup that was measured on AWS Lambda, with what it takes to run it again. */
export interface MeasuredSetup {
  /** `<run>/<setup>` */
  id: string
  /** By task. */
  memoryMb: Record<string, number>
  /** By host task: tasks that it runs inline, by mode. */
  inline: Record<string, { call: string[]; send: string[] }>
  /** Every sandbox was made to start cold for every request. */
  cold: boolean
  requests: MeasuredRequest[]
  aws: { p50Ms: number; costUsd: number; coldShare: number }
}

export interface MeasuredRequest {
  /** Ms after the setup's first request. */
  startMs: number
  own: Record<string, number[]>
  awaited: boolean
}

interface Rules {
  setups: Record<string, { rules: Record<string, Record<string, Record<'sync' | 'async', { strategy: string }>>> }>
  order: string[]
}

/** Every setup with traces in a folder of runs (`fusionize-iot`). */
export function readSetups(dir: string): MeasuredSetup[] {
  if (!existsSync(dir)) throw new Error(`there is no folder ${dir}; give --traces the folder fusionize-iot`)
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => readRun(dir, entry.name))
}

function readRun(dir: string, run: string): MeasuredSetup[] {
  const json = (file: string) => JSON.parse(readFileSync(join(dir, run, file), 'utf8'))
  const { setups, order }: Rules = json('setups.json')
  const expected = json('expected.json')
  return order.flatMap((setup): MeasuredSetup[] => {
    const file = join(dir, run, `${setup}.ndjson`)
    if (!existsSync(file)) return []
    const records = readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line): ForeignRecord => JSON.parse(line))
    const { sample } = expected[setup]
    const inline = inlineOf(setups[setup]?.rules ?? {})
    return [
      {
        id: `${run}/${setup}`,
        memoryMb: memoryOf(records),
        inline,
        cold: sample.cold_inv === 1,
        requests: requestsOf(records, inline[tasks.I]?.send.includes(tasks.CT) ?? false),
        aws: { p50Ms: sample.rr_p50, costUsd: sample.cost_corr_mean, coldShare: sample.cold_inv },
      },
    ]
  })
}

function inlineOf(rules: Rules['setups'][string]['rules']): MeasuredSetup['inline'] {
  const of = (host: Name, mode: 'sync' | 'async') =>
    names
      .filter((name) => name !== host && rules[host]?.[name]?.[mode].strategy === 'local')
      .map((name) => tasks[name])
      .sort()
  return Object.fromEntries(names.map((host) => [tasks[host], { call: of(host, 'sync'), send: of(host, 'async') }]))
}

function memoryOf(records: readonly ForeignRecord[]): Record<string, number> {
  const found = new Map(records.map((record) => [record.currentFunction, Number(record.memoryAvail)]))
  return Object.fromEntries(names.map((name) => [tasks[name], found.get(name) ?? 128]))
}

/**
 * The sample's requests. What a trace lacks (a lost record, one of two merged invocations) is taken from another trace of the same file.
 * @param awaited async calls were inlined, and the host waited for them: their work counts as its own
 */
function requestsOf(records: readonly ForeignRecord[], awaited: boolean): MeasuredRequest[] {
  const traces = new Map<string, ForeignRecord[]>()
  for (const record of records) traces.set(record.traceId, [...(traces.get(record.traceId) ?? []), record])
  const requests: MeasuredRequest[] = []
  const known = new Map<string, number[]>()
  for (const trace of traces.values()) {
    const root = trace.find((record) => record.isRootInvocation)
    if (root === undefined) continue
    const own: Record<string, number[]> = {}
    for (const record of trace) Object.assign(own, ownTimes(record, awaited))
    for (const [task, times] of Object.entries(own)) known.set(task, [...(known.get(task) ?? []), ...times])
    requests.push({ startMs: root.startTimestamp, own, awaited })
  }
  requests.sort((a, b) => a.startMs - b.startMs)
  const first = requests[0]?.startMs ?? 0
  for (const [i, request] of requests.entries()) {
    request.startMs -= first
    for (const [task, pool] of known) {
      const times = request.own[task] ?? []
      const runs = task === tasks.AS ? 2 : 1
      while (times.length < runs) times.push(pool[(i * 7 + times.length) % pool.length] as number)
      request.own[task] = times
    }
  }
  return requests
}

/** How long the tasks of one invocation worked by themselves: the time of its handler in which it waited for no call. */
function ownTimes(record: ForeignRecord, awaited: boolean): Record<string, number[]> {
  const { currentFunction: fn, calls } = record
  // Calls may be doubled in the data.
  const timeOf = (name: Name) => calls.find((call) => call.called === name)?.time ?? 0
  const own: Record<string, number[]> = {}
  if (fn === 'AS') {
    const overhead = record.billedDuration - record.internalDuration
    own[tasks.AS] = runsOf(calls).map((ms) => Math.max(0, ms + overhead))
    return own
  }
  for (const { called, local, sync, time } of calls)
    if (local && sync && called !== fn && !waits[called as Name]) own[tasks[called as Name]] ??= [time]
  const handler = record.endTimestamp === null ? record.billedDuration : record.endTimestamp - record.startTimestamp
  const stages = awaited ? [['CW'], ['SE']] : (waits[fn] ?? [])
  const waited = stages.map((stage) => Math.max(...(stage as Name[]).map(timeOf)))
  if (awaited)
    for (const name of names) if (name !== 'CW' && name !== 'SE') own[tasks[name]] = name === 'AS' ? [0, 0] : [0]
  own[tasks[fn]] = [Math.max(0, handler - waited.reduce((a, b) => a + b, 0))]
  return own
}

/** One time per run of the task: its calls of itself, doubled ones once. */
function runsOf(calls: readonly Call[]): number[] {
  const times = calls.filter((call) => call.called === 'AS').map((call) => call.time)
  return times.length === 4 ? [times[0] as number, times[2] as number] : times
}
