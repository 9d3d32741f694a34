import { html, type Markup } from '../report/markup.js'
import { linearScale, logScale } from '../report/scale.js'
import type { Measure } from './characteristics.js'
import { shown } from './characteristics-text.js'

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM, RIGHT] = [420, 170, 44, 12, 34, 16]
const SHARES = [0, 0.25, 0.5, 0.75, 1]

/** A cumulative distribution: what share of requests (upwards) has at most which value (to the right). Logarithmic when the values span much. */
export function cdfChart(measure: Measure): Markup {
  const { cdf, max, n, name, p50, p95, unit, what } = measure
  const least = cdf.find(({ value }) => value > 0)?.value ?? 1
  const log = unit !== 'ρ' && max > 0 && max / least > 30
  const inner = WIDTH - LEFT - RIGHT
  const scale = unit === 'ρ' ? correlationScale(inner) : log ? logScale(least, max, inner) : linearScale(max, inner)
  // Scales count from the far end.
  const x = (value: number) => LEFT + Math.max(0, Math.min(inner, inner - scale.at(value)))
  const y = (share: number) => TOP + HEIGHT * (1 - share)
  const points = cdf.map(({ share, value }) => `H${round(x(value))} V${round(y(share))}`).join(' ')
  const ticks = thin(scale.ticks, (tick) => x(tick))
  return html`<figure class="chart"><figcaption><b>${name}</b> <span class="soft">${what}${log ? ', logarithmic' : ''}</span> <span class="legend">n = ${n}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${TOP + HEIGHT + BOTTOM}" width="${WIDTH}" height="${TOP + HEIGHT + BOTTOM}" role="img" aria-label="Distribution of ${name}: median ${shown(measure, p50)}, 95th percentile ${shown(measure, p95)}">
${SHARES.map((share) => html`<g class="tick"><path d="M${LEFT} ${round(y(share))} H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${round(y(share) + 4)}" text-anchor="end">${share * 100}%</text></g>`)}
${ticks.map((tick) => html`<g class="tick"><text x="${round(x(tick))}" y="${TOP + HEIGHT + 16}" text-anchor="middle">${label(unit, tick)}</text></g>`)}
<path class="axis" d="M${LEFT} ${TOP} V${TOP + HEIGHT} H${WIDTH - RIGHT}"/>
<path class="cdf" d="M${LEFT} ${round(y(0))} ${points} H${WIDTH - RIGHT}"/>
${[p50, p95].map((value, i) => html`<circle class="cdf-mark" cx="${round(x(value))}" cy="${round(y(i === 0 ? 0.5 : 0.95))}" r="4"><title>p${i === 0 ? 50 : 95}: ${shown(measure, value)}</title></circle>`)}
</svg><p class="soft">p50 ${shown(measure, p50)} · p95 ${shown(measure, p95)} · p99 ${shown(measure, measure.p99)} · max ${shown(measure, max)}</p></figure>
`
}

/** From −1 to 1. */
function correlationScale(inner: number) {
  return { at: (value: number) => (inner * (1 - value)) / 2, ticks: [-1, -0.5, 0, 0.5, 1] }
}

/** Ticks that do not stand on each other. */
function thin(ticks: readonly number[], at: (tick: number) => number): number[] {
  let last = Number.NEGATIVE_INFINITY
  return ticks.filter((tick) => {
    if (at(tick) - last < 44) return false
    last = at(tick)
    return true
  })
}

function label(unit: string, value: number): string {
  if (unit === 'share') return `${Math.round(value * 100)}%`
  if (value >= 1e6) return `${value / 1e6}M`
  return value >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(3)))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
