import type { Estimate, Measurement } from '@fusionize/planner'
import { isIndicative, type Outcome, type Row } from '../control/outcome.js'
import type { Colors } from './colors.js'
import { bytes, digits, percent, usd, withInterval, withMargin } from './format.js'
import { shortenNotation } from './shorten.js'

const MIN_WIDTH = 80
/** From this width on there is room for whole intervals. */
const WIDE = 116

/** What a run found, for the terminal: a table of all setups, the verdict, and what the management cost. */
export function outcomeText(outcome: Outcome, colors: Colors, columns = 120): string {
  const width = Math.max(MIN_WIDTH, Math.min(columns, 120))
  return [
    table(outcome, colors, width),
    '',
    ...outcome.verdict.words.map((words) => `${colors.bold('›')} ${words}`),
    ...emulationWords(outcome).map((words) => `${colors.bold('›')} ${words}`),
    '',
    ...footnotes(outcome).map((words) => colors.dim(words)),
  ].join('\n')
}

interface Column {
  title: string
  cell(m: Measurement): string
}

function columnsFor(wide: boolean): Column[] {
  const latency = (which: 'p50Ms' | 'p95Ms' | 'p99Ms'): Column => ({
    title: `${which.slice(0, 3)} ms`,
    cell: (m) => `${(wide ? withInterval : withMargin)(m[which])}${isIndicative(which, m[which]) ? '*' : ' '}`,
  })
  const part = (title: string, which: keyof NonNullable<Measurement['cost']>): Column => ({
    title,
    cell: (m) => (m.cost ? digits(m.cost[which]) : '–'),
  })
  return [
    { title: 'n', cell: (m) => String(m.requests) },
    latency('p50Ms'),
    latency('p95Ms'),
    latency('p99Ms'),
    { title: '$/M', cell: (m) => costCell(m.costPerMillionUsd) },
    part('comp.', 'compute'),
    part('req.', 'requests'),
    part('init', 'startup'),
    ...(wide ? [part('gatew.', 'gateway')] : []),
    { title: 'cold', cell: (m) => String(m.coldStarts) },
    { title: 'inv.', cell: (m) => digits(m.invocationsPerRequest) },
    { title: 'err', cell: (m) => String(m.errors) },
  ]
}

function costCell(cost: Estimate | null): string {
  return cost ? withMargin(cost) : 'null'
}

function table(outcome: Outcome, colors: Colors, width: number): string {
  const wide = width >= WIDE
  const columns = columnsFor(wide)
  const sections: [string, Row[]][] = [
    [`Setups of strategy ${outcome.strategy}, in order of deployment`, outcome.rounds],
  ]
  if (outcome.baselines.length > 0) sections.push(['Baselines under the same goal', outcome.baselines])
  const rows = sections.flatMap(([, list]) => list)
  const widths = columns.map(({ title, cell }) =>
    Math.max(title.length, ...rows.map((row) => (row.measurement ? cell(row.measurement).length : 0))),
  )
  const head = columns.map(({ title }, i) => title.padStart(widths[i] ?? 0)).join(' ')
  const lines: string[] = []
  for (const [title, list] of sections) {
    lines.push('', colors.bold(title))
    if (list === outcome.rounds) lines.push(colors.dim(`    ${head}`))
    for (const [i, row] of list.entries()) {
      const best = row.id === outcome.bestId && list === outcome.rounds
      const mark = best ? colors.green('★') : ' '
      const name = list === outcome.rounds ? `${i + 1}` : row.strategy
      const notation = shortenNotation(row.notation, width - name.length - 14)
      lines.push(
        `${mark} ${best ? colors.green(colors.bold(name)) : colors.bold(name)} ${colors.cyan(notation)} ${colors.dim(row.id.slice(0, 6))}`,
      )
      if (row.measurement) {
        const m = row.measurement
        const cells = columns.map(({ cell }, c) => cell(m).padStart(widths[c] ?? 0)).join(' ')
        lines.push(`    ${m.errors > 0 ? colors.red(cells) : cells}`)
      }
      if (row.failure !== undefined) lines.push(`    ${colors.red(`not adopted: ${row.failure}`)}`)
      lines.push(`    ${colors.dim(clip(row.reason, width - 4))}`)
    }
  }
  return lines.join('\n')
}

function emulationWords({ emulation }: Outcome): string[] {
  if (!emulation) return []
  const { first, adopted } = emulation
  const pair = (m: { on: Measurement; off: Measurement }) =>
    `p50 ${digits(m.on.p50Ms.value)} ms with, ${digits(m.off.p50Ms.value)} ms without` +
    (m.on.costPerMillionUsd && m.off.costPerMillionUsd
      ? `; $${digits(m.on.costPerMillionUsd.value)} with, $${digits(m.off.costPerMillionUsd.value)} without`
      : '')
  return [
    `Emulated delays: first setup ${pair(first)}; adopted ${pair(adopted)}.`,
    `${share(emulation.medianShare, 'median latency')} ${share(emulation.costShare, 'cost')}`,
  ]
}

function share(value: number | null, what: string): string {
  return value === null
    ? `In ${what} there is no gain of which they could make a share.`
    : `They make ${percent(value)} of the gain in ${what}.`
}

function footnotes(outcome: Outcome): string[] {
  const { facts, overhead, load } = outcome
  const measured = [...outcome.rounds, ...outcome.baselines].some(
    (row) => row.measurement && isIndicative('p99Ms', row.measurement.p99Ms),
  )
  const busy = Math.max(0, ...[...outcome.rounds, ...outcome.baselines].map((row) => row.machineBusy ?? 0))
  return [
    ...(busy > 0 ? [`The machine was at most ${percent(busy)} busy during a measured load.`] : []),
    `95% intervals by block bootstrap${measured ? '; * fewer samples than the percentile needs (p95: 300, p99: 1000): only indicative' : ''}.`,
    '$/M: USD per million requests = compute + requests + start-up (init) + gateway' +
      ` (${facts.prices.name}, ${facts.prices.date}); inv.: invocations per request.`,
    ...(facts.cpuShareEnforced ? [] : [`Cost is null: ${facts.cpuShareReason}`]),
    `Platform ${facts.platform}, ${facts.emulate ? `emulating the delays of ${facts.emulate}` : 'no emulation'}${facts.passing ? `, ${facts.passing}` : ''}, durability ${facts.durability}; ${load.profile} load of ${load.rps} requests/s, seed ${load.seed}.`,
    `Deployments until adoption: ${overhead.deployments} (${outcome.converged ? 'converged' : 'not converged'}), ${overhead.requestsSpent} requests, ${digits(overhead.seconds)} s. ` +
      `Management: ${digits(overhead.cpuSeconds)} CPU-s, ${bytes(overhead.bytes)}, ${usd(overhead.usd)} (deployer ${digits(overhead.deployer.cpuSeconds)}, monitor ${digits(overhead.monitor.cpuSeconds)}, optimizer ${digits(overhead.optimizer.cpuSeconds)} CPU-s).`,
  ]
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
