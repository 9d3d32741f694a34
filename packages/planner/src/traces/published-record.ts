/** One line of a record file of Fusionize's 2023 prototype, checked. */
export interface PublishedRecord {
  traceId: string
  /** Deployed function that reported it. */
  function: string
  memoryMb: number
  isRoot: boolean
  isCold: boolean
  /** Handler entry, epoch ms. */
  startMs: number
  /** Handler start to end, ms. */
  wallMs: number
  billedMs: number
  timedOut: boolean
  /** In order of completion, without those of the function by itself. */
  calls: PublishedCall[]
  /** How long each run of the function's own task took, ms: its calls by itself. */
  runsMs: number[]
}

export interface PublishedCall {
  called: string
  local: boolean
  sync: boolean
  ms: number
}

type Field =
  | 'traceId'
  | 'currentFunction'
  | 'memoryAvail'
  | 'isRootInvocation'
  | 'isColdStart'
  | 'startTimestamp'
  | 'endTimestamp'
  | 'internalDuration'
  | 'billedDuration'
  | 'calls'
type CallField = 'called' | 'local' | 'sync' | 'time'

/** @returns the record and what had to be put right in it, or why the line cannot be used */
export function readPublishedRecord(line: string): { record: PublishedRecord; repaired: string[] } | { why: string } {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return { why: `not JSON: ${(error as Error).message}` }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { why: 'not a JSON object' }
  const fields = value as Partial<Record<Field, unknown>>
  const { traceId, currentFunction } = fields
  if (typeof traceId !== 'string' || traceId === '') return { why: 'no traceId' }
  if (typeof currentFunction !== 'string' || currentFunction === '') return { why: 'no currentFunction' }
  const startMs = numberOf(fields.startTimestamp)
  if (startMs === undefined) return { why: 'startTimestamp is no number' }
  const memoryMb = numberOf(fields.memoryAvail) ?? memoryInTraceId(traceId)
  if (memoryMb === undefined || memoryMb <= 0) return { why: 'memoryAvail is no number of MB' }

  const repaired: string[] = []
  const { calls, runsMs, unusable } = callsOf(fields.calls, currentFunction)
  if (unusable > 0) repaired.push('calls left out: no name or no time')
  const endMs = numberOf(fields.endTimestamp)
  const internalMs = durationOf(fields.internalDuration)
  const billed = durationOf(fields.billedDuration)
  const ended = endMs !== undefined && endMs >= startMs ? endMs - startMs : undefined
  const wallMs = ended ?? billed ?? internalMs
  if (wallMs === undefined) return { why: 'neither endTimestamp nor a duration' }
  if (ended === undefined) repaired.push('no end: counted as a time-out after what was billed')
  if (billed === undefined) repaired.push('no billedDuration: taken from start and end')
  if (runsMs.length === 0) runsMs.push(internalMs ?? wallMs)
  return {
    record: {
      traceId,
      function: currentFunction,
      memoryMb,
      isRoot: fields.isRootInvocation === true,
      isCold: fields.isColdStart === true,
      startMs,
      wallMs,
      billedMs: billed ?? Math.ceil(wallMs),
      timedOut: ended === undefined,
      calls,
      runsMs,
    },
    repaired,
  }
}

function callsOf(value: unknown, fn: string) {
  const calls: PublishedCall[] = []
  const runsMs: number[] = []
  let unusable = 0
  for (const item of Array.isArray(value) ? (value as unknown[]) : []) {
    const call = (typeof item === 'object' && item !== null ? item : {}) as Partial<Record<CallField, unknown>>
    const { called, local, sync } = call
    const ms = numberOf(call.time)
    if (typeof called !== 'string' || called === '' || ms === undefined || ms < 0) unusable++
    else if (called === fn && local !== false) runsMs.push(ms)
    else calls.push({ called, local: local === true, sync: sync !== false, ms })
  }
  return { calls, runsMs, unusable }
}

/** Numbers come as numbers or in quotes. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function durationOf(value: unknown): number | undefined {
  const ms = numberOf(value)
  return ms === undefined || ms < 0 ? undefined : ms
}

/** `<setup>-<entry>-<memory>-<hex>` */
function memoryInTraceId(traceId: string): number | undefined {
  return numberOf(traceId.split('-').at(-2))
}
