import type { RequestSample } from '../control/load/fire.js'
import type { Row } from '../control/outcome.js'
import type { Phase, Watcher } from '../control/watcher.js'
import type { Colors } from './colors.js'
import { digits, withMargin } from './format.js'
import { shortenNotation } from './shorten.js'

export interface Terminal {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

const BAR = 18
const words: Record<Phase, string> = {
  build: 'building',
  deploy: 'deploying',
  'warm-up': 'warming up',
  load: 'measuring',
  drain: 'waiting for async work',
  evaluate: 'evaluating',
}

/** Shows a run as it goes: on a terminal one line that updates itself per setup, elsewhere plain lines. */
export function createProgress(out: Terminal, colors: Colors): Watcher & { end(): void } {
  const live = out.isTTY === true
  let label = ''
  let notation = ''
  let phase: Phase = 'build'
  let total = 0
  let latencies: number[] = []
  let errors = 0
  let open = false

  const width = () => Math.max(60, out.columns ?? 100)
  const clear = () => {
    if (live && open) out.write('\r\u001b[2K')
    open = false
  }
  const line = (text: string) => {
    clear()
    out.write(`${text}\n`)
  }
  const show = () => {
    if (!live) return
    const done = latencies.length
    const state =
      phase === 'load' || phase === 'warm-up'
        ? `${words[phase].padEnd(10)} ${bar(done / Math.max(1, total))} ${done}/${total}` +
          (done > 0 ? `  p50 ${digits(median(latencies))} ms` : '') +
          (errors > 0 ? `  ${errors} errors` : '')
        : words[phase]
    const room = width() - label.length - state.length - 6
    const text = `  ${label}  ${room > 12 ? `${shortenNotation(notation, room)}  ` : ''}${state}`
    clear()
    out.write(text.slice(0, width() - 1))
    open = true
  }
  return {
    plan: (text) => line(colors.dim(text)),
    section: (title) => line(`\n${colors.bold(title)}`),
    setup(nextLabel, nextNotation) {
      label = nextLabel
      notation = nextNotation
      if (!live) line(`  ${label}  ${shortenNotation(notation, 80)}`)
    },
    phase(next, count = 0) {
      phase = next
      total = count
      latencies = []
      errors = 0
      if (!live && next === 'load') line(`    measuring ${count} requests`)
      show()
    },
    samples(batch: readonly RequestSample[]) {
      for (const sample of batch) {
        latencies.push(sample.latencyMs)
        if (sample.error !== undefined) errors++
      }
      show()
    },
    row: (row) => line(rowLine(row, colors, width())),
    note: (text) => line(`  ${colors.yellow('!')} ${text}`),
    end: clear,
  }
}

function rowLine(row: Row, colors: Colors, width: number): string {
  const m = row.measurement
  const figures = m
    ? `p50 ${withMargin(m.p50Ms)} ms  p95 ${withMargin(m.p95Ms)} ms  ${m.costPerMillionUsd ? `$${withMargin(m.costPerMillionUsd)}/M` : 'cost null'}`
    : ''
  const mark = row.failure === undefined ? colors.green('✓') : colors.red('✗')
  const notation = shortenNotation(row.notation, Math.max(20, width - figures.length - row.strategy.length - 10))
  const failure = row.failure === undefined ? '' : `\n    ${colors.red(row.failure)}`
  return `${mark} ${row.strategy}  ${colors.cyan(notation)}  ${figures}${failure}`
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR)
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
