import { type Characteristics, doubleBillingShareOf } from '@fusionize/planner'
import { digits, percent } from '../report/format.js'
import { html, type Markup } from '../report/markup.js'
import { cdfChart } from './cdf-chart.js'
import { measuresOf, stagesOf, untoldOf } from './characteristics.js'
import { tracesPage } from './page-frame.js'
import type { Reading } from './read-files.js'

/** What requests look like as a page. */
export function characteristicsPage(seen: Characteristics, input: Reading): string {
  return tracesPage('What requests look like', input, characteristicsBody(seen))
}

export function characteristicsBody(seen: Characteristics): Markup {
  const { share, unit } = doubleBillingShareOf(seen)
  const stages = stagesOf(seen)
  const untold = untoldOf(seen)
  return html`<ul class="words"><li>${seen.requests} requests; ${percent(share)} of all billed ${unit} is double billing.</li>${untold.length > 0 && html`<li>Not told by these traces: ${untold.join(', ')}.</li>`}</ul>
<div class="charts">${measuresOf(seen).map(cdfChart)}</div>
${
  stages.length > 0 &&
  html`<h2>Stages of workers beside each other</h2><div class="card scroll"><table class="plain"><thead><tr><th>Stage</th><th>requests</th><th>workers</th><th>skew</th><th>correlation</th></tr></thead>
<tbody>${stages.slice(0, 50).map((stage) => html`<tr><td>${stage.from} → ${stage.to}</td><td>${stage.requests}</td><td>${stage.workers}</td><td>${digits(stage.skew)}×</td><td>${stage.correlation === null ? '–' : digits(stage.correlation)}</td></tr>`)}</tbody></table>
<p class="soft">Medians; correlation of the times of two workers of one request: 0 independent, 1 alike.</p></div>`
}`
}
