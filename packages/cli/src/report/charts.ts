import type { Estimate } from '@fusionize/planner'
import { isIndicative, type Row } from '../control/outcome.js'
import { digits } from './format.js'
import { html, type Markup } from './markup.js'
import { linearScale, logScale, type Scale } from './scale.js'

/** One setup on a chart's horizontal axis. */
export interface Column {
  row: Row
  /** Under the axis: `1`, `2`, `remote@best`. */
  label: string
  adopted: boolean
}

const HEIGHT = 220
const LEFT = 52
const TOP = 14
const BOTTOM = 40
const COLUMN = 92
const BAR_WIDTH = 40

const percentiles = [
  { which: 'p50Ms', name: 'p50', offset: -16 },
  { which: 'p95Ms', name: 'p95', offset: 0 },
  { which: 'p99Ms', name: 'p99', offset: 16 },
] as const

const parts = [
  { which: 'compute', name: 'compute' },
  { which: 'requests', name: 'requests' },
  { which: 'startup', name: 'start-up' },
  { which: 'gateway', name: 'gateway' },
] as const

/** p50, p95 and p99 of every setup with their 95% intervals; hollow marks have too few samples. Logarithmic when the values span much. */
export function latencyChart(columns: readonly Column[]): Markup {
  const estimates = columns.flatMap(({ row }) =>
    row.measurement
      ? percentiles.map(({ which }) => (row.measurement as never as Record<string, Estimate>)[which] as Estimate)
      : [],
  )
  const shown = estimates.filter((x) => Number.isFinite(x.value) && x.value > 0)
  if (shown.length === 0) return html`<p>No latency was measured.</p>`
  const max = Math.max(...shown.map((x) => Math.max(x.value, x.high)))
  const min = Math.min(...shown.map((x) => x.value))
  const log = max / min > 8
  const scale = log ? logScale(min, max, HEIGHT) : linearScale(max, HEIGHT)
  const marks = columns.map(({ row }, i) =>
    percentiles.map(({ which, name, offset }) => {
      const estimate = row.measurement?.[which]
      if (!estimate || !Number.isFinite(estimate.value)) return null
      const x = LEFT + COLUMN * (i + 0.5) + offset
      const y = TOP + scale.at(estimate.value)
      const hollow = isIndicative(which, estimate)
      const title = `${name}: ${digits(estimate.value)} ms, 95% interval ${digits(estimate.low)} to ${digits(estimate.high)}, n = ${estimate.n}${hollow ? ', only indicative' : ''}`
      return html`<g class="mark ${name}${hollow ? ' hollow' : ''}"><title>${title}</title>${whisker(x, estimate, scale)}<circle cx="${x}" cy="${n(y)}" r="4.5"/>${name === 'p50' && html`<text class="value" x="${x - 8}" y="${n(y + 4)}" text-anchor="end">${digits(estimate.value)}</text>`}</g>`
    }),
  )
  return frame('Latency', `ms${log ? ', logarithmic' : ''}`, columns, scale, marks, percentiles)
}

/** Cost per million requests of every setup, by component, with the 95% interval of the sum. */
export function costChart(columns: readonly Column[]): Markup {
  const max = Math.max(0, ...columns.map(({ row }) => row.measurement?.costPerMillionUsd?.high ?? 0))
  if (max === 0) return html`<p>Cost could not be measured.</p>`
  const scale = linearScale(max, HEIGHT)
  const marks = columns.map(({ row }, i) => {
    const { cost, costPerMillionUsd } = row.measurement ?? {}
    if (!cost || !costPerMillionUsd) return null
    const x = LEFT + COLUMN * (i + 0.5) - BAR_WIDTH / 2
    let below = 0
    const boxes = parts.map(({ which, name }) => {
      const from = below
      below += cost[which]
      const y = TOP + scale.at(below)
      return html`<rect class="part ${which}" x="${x}" y="${n(y)}" width="${BAR_WIDTH}" height="${n(Math.max(0, scale.at(from) - scale.at(below)))}"><title>${name}: $${digits(cost[which])} per million requests</title></rect>`
    })
    const top = TOP + scale.at(Math.max(costPerMillionUsd.high, below))
    return html`<g>${boxes}<g class="mark total">${whisker(x + BAR_WIDTH / 2, costPerMillionUsd, scale)}</g><text class="value" x="${x + BAR_WIDTH / 2}" y="${n(top - 5)}" text-anchor="middle">${digits(costPerMillionUsd.value)}</text></g>`
  })
  return frame(
    'Cost',
    'USD per million requests',
    columns,
    scale,
    marks,
    parts.map(({ which, name }) => ({ name, key: which })),
  )
}

function whisker(x: number, { low, high }: Estimate, scale: Scale): Markup | null {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return null
  const [y1, y2] = [n(TOP + scale.at(high)), n(TOP + scale.at(low))]
  return html`<path class="whisker" d="M${x} ${y1} V${y2} M${x - 4} ${y1} h8 M${x - 4} ${y2} h8"/>`
}

function frame(
  title: string,
  unit: string,
  columns: readonly Column[],
  scale: Scale,
  marks: readonly (Markup | null | readonly (Markup | null)[])[],
  legend: readonly { name: string; key?: string }[],
): Markup {
  const width = LEFT + COLUMN * columns.length + 12
  const bottom = TOP + HEIGHT
  return html`<figure class="chart"><figcaption><b>${title}</b> <span class="soft">${unit}</span> <span class="legend">${legend.map(({ name, key }) => html`<span><i class="swatch ${key ?? name}"></i>${name}</span>`)}</span></figcaption>
<div class="scroll"><svg viewBox="0 0 ${width} ${bottom + BOTTOM}" width="${width}" height="${bottom + BOTTOM}" role="img" aria-label="${title} of every setup">
${scale.ticks.map((tick) => html`<g class="tick"><path d="M${LEFT} ${n(TOP + scale.at(tick))} H${width - 12}"/><text x="${LEFT - 8}" y="${n(TOP + scale.at(tick) + 4)}" text-anchor="end">${Number(tick.toPrecision(6))}</text></g>`)}
<path class="axis" d="M${LEFT} ${TOP} V${bottom} H${width - 12}"/>
${columns.map(({ row, label, adopted }, i) => html`<g class="name${adopted ? ' adopted' : ''}"><title>${row.notation}</title><text x="${LEFT + COLUMN * (i + 0.5)}" y="${bottom + 18}" text-anchor="middle">${adopted ? '★ ' : ''}${label}</text><text class="soft" x="${LEFT + COLUMN * (i + 0.5)}" y="${bottom + 33}" text-anchor="middle">${row.id.slice(0, 6)}</text></g>`)}
${marks}
</svg></div></figure>
`
}

function n(value: number): number {
  return Math.round(value * 10) / 10
}
