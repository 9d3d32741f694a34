import { createWriteStream } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { quantile } from './quantile.js'

/** Where a figure was measured. */
export interface Machine {
  node: string
  cpu: string
  cores: number
  memoryGb: number
}

/** How a case was run; a figure is claimed only for the setting that its row states (METRICS.md). */
export interface Setting {
  role: 'ours' | 'yardstick' | 'peer'
  isolation: 'sandbox' | 'thread' | 'process'
  transport: string
  durability: 'none' | 'journal' | 'fsync'
  records: 'on' | 'off'
  wait: 'park' | 'spin'
}

export interface Row extends Setting {
  case: string
  n: number
  p50: number
  p95: number
  p99: number
  unit: string
  /** More that the bench found out about the case, by name. */
  more?: Record<string, unknown>
}

export interface Result {
  name: string
  /** What was done, in words: enough to do it again. */
  method: string
  machine: Machine
  rows: Row[]
  /** Statements about the rows, with their figures. */
  findings: string[]
}

/** A case in a bench: its setting, its id where that is not the name (when cases differ in their setting alone), and its unit where that is not the bench's. */
export type Case = Setting & { case?: string; unit?: string }

/** One bench: `samples` come in any order; the harness sorts them into rows. */
export interface Bench {
  method: string
  unit: string
  /** By name; a function where they depend on the options. */
  cases: Record<string, Case> | ((options: Record<string, string>) => Record<string, Case>)
  /** Case that the ratios are against. */
  yardstick?: string
  /** Figures beside the rows are for the JSON document alone: the findings say them to people. */
  moreIsInFindings?: boolean
  run(context: BenchContext): Promise<void>
}

export interface BenchContext {
  /** Options that the harness does not know, by name (`--traces DIR`). */
  options: Record<string, string>
  /** Notes one sample of a case. */
  sample(name: string, value: number): void
  /** Adds figures to a case's row. */
  more(name: string, figures: Record<string, unknown>): void
  /** A statement for the end of the report. */
  finding(text: string): void
  /** Says on stderr what is going on. */
  progress(text: string): void
  samplesOf(name: string): readonly number[]
}

/** Runs one bench. @param raw file that gets every sample as NDJSON */
export async function runBench(
  name: string,
  bench: Bench,
  options: Record<string, string>,
  raw?: string,
): Promise<Result> {
  const cases = typeof bench.cases === 'function' ? bench.cases(options) : bench.cases
  const samples = new Map<string, number[]>(Object.keys(cases).map((id) => [id, []]))
  const more = new Map<string, Record<string, unknown>>()
  const findings: string[] = []
  const out = raw === undefined ? undefined : createWriteStream(raw)
  const listOf = (id: string) => {
    const list = samples.get(id)
    if (!list) throw new Error(`bench ${name} has no case '${id}'`)
    return list
  }
  /** What tells the case's samples from those of others. */
  const labelOf = (id: string) => {
    const { case: shared, durability } = cases[id] as Case
    return shared === undefined ? { case: id } : { case: shared, durability }
  }
  await bench.run({
    options,
    sample(id, value) {
      listOf(id).push(value)
      out?.write(`${JSON.stringify({ ...labelOf(id), value })}\n`)
    },
    more: (id, figures) => void more.set(id, { ...more.get(id), ...figures }),
    finding: (text) => void findings.push(text),
    progress: (text) => void process.stderr.write(`${text}\n`),
    samplesOf: listOf,
  })
  if (out) await new Promise((resolve) => out.end(resolve))
  const rows = Object.entries(cases).map(([id, setting]): Row => {
    const sorted = Float64Array.from(listOf(id)).sort()
    const at = (p: number) => quantile(sorted, p)
    const extra = more.get(id)
    return {
      case: id,
      // `case` among it, where the name is not the id.
      ...setting,
      n: sorted.length,
      p50: at(0.5),
      p95: at(0.95),
      p99: at(0.99),
      unit: setting.unit ?? bench.unit,
      ...(extra ? { more: extra } : {}),
    }
  })
  return { name, method: bench.method, machine: machine(), rows, findings }
}

export function machine(): Machine {
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  }
}

/** The result for people. */
export function formatResult(
  result: Result,
  { yardstick, moreIsInFindings }: Pick<Bench, 'yardstick' | 'moreIsInFindings'>,
): string {
  const { machine: m, rows } = result
  const base = rows.find((row) => row.case === yardstick)?.p50
  const head = ['case', 'role', 'isolation', 'durability', 'records', 'n', 'p50', 'p95', 'p99', 'unit', 'ratio']
  const body = rows.map((row) => [
    row.case,
    row.role,
    row.isolation,
    row.durability,
    row.records,
    String(row.n),
    ...[row.p50, row.p95, row.p99].map(short),
    row.unit,
    base ? `${(row.p50 / base).toFixed(2)}×` : '',
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((line) => (line[i] as string).length)))
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => (i > 4 && i < 9 ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join('  ')
      .trimEnd()
  const extras = rows
    .filter((row) => row.more && !moreIsInFindings)
    .map((row) => `${labelAmong(rows, row)}: ${JSON.stringify(row.more)}`)
  return [
    `${result.name}: ${result.method}`,
    `on Node ${m.node}, ${m.cores} × ${m.cpu}, ${m.memoryGb} GB`,
    '',
    line(head),
    ...body.map(line),
    ...(extras.length > 0 ? ['', ...extras] : []),
    ...(result.findings.length > 0 ? ['', ...result.findings] : []),
  ].join('\n')
}

/** What tells a row from the others. */
function labelAmong(rows: readonly Row[], row: Row): string {
  const shared = rows.some((other) => other !== row && other.case === row.case)
  return shared ? `${row.case} ${row.durability}` : row.case
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3)
}
