import type { Advice, EdgeAdvice, EntryAdvice, Estimate } from '@fusionize/planner'
import { graphSvg } from '../graph/svg.js'
import { digits, percent } from '../report/format.js'
import { html, type Markup } from '../report/markup.js'
import type { AdviceContext } from './advice-document.js'
import { graphOf, MOST_NODES } from './advice-graph.js'
import { edgeName, footnotes, summary, verdictWords } from './advice-text.js'
import { characteristicsBody } from './characteristics-page.js'
import { tracesPage } from './page-frame.js'

/** Advice as a page. */
export function advicePage(advice: Advice, context: AdviceContext): string {
  return tracesPage(
    'Advice from traces',
    context.input,
    html`${tiles(advice)}
<ul class="words">${summary(advice).map((words) => html`<li>${words}</li>`)}</ul>
<h2>Requests, now and fused</h2>
${entries(advice)}
<h2>The fused setup</h2>
${drawing(advice)}
${functions(advice)}
<h2>Calls</h2>
${edges(advice)}
<h2>Sizes</h2>
${sizes(advice)}
<h2>What these traces cannot tell</h2>
<div class="card"><ul class="words">${advice.limits.map((words) => html`<li>${words}</li>`)}</ul>${footnotes(context).map((words) => html`<p class="soft">${words}</p>`)}</div>
<h2>What requests look like</h2>
${characteristicsBody(advice.characteristics)}`,
  )
}

function tiles({ doubleBilling, entries, startUps, total }: Advice): Markup {
  const main = entries[0]
  const tile = (title: string, value: string, below: string, kind = '') =>
    html`<div class="tile"><span class="soft">${title}</span><b class="${kind}">${value}</b><span class="soft">${below}</span></div>`
  const share = (saved: Estimate | null | undefined, now: Estimate | null | undefined) =>
    saved && now && now.value > 0 ? saved.value / now.value : Number.NaN
  const shown = (value: number) =>
    Number.isFinite(value) ? `${value >= 0 ? '−' : '+'}${percent(Math.abs(value))}` : '–'
  const kind = (value: number) => (value > 0 ? 'down' : value < 0 ? 'up' : '')
  const [faster, cheaper] = [
    share(main?.saves.p50Ms, main?.now.p50Ms),
    share(total.savesPerMillionUsd, total.nowPerMillionUsd),
  ]
  return html`<div class="tiles">${main && tile(`Median latency of ${main.task}`, shown(faster), `${digits(main.now.p50Ms.value)} → ${digits(main.fused.p50Ms.value)} ms when fused`, kind(faster))}
${tile('Cost per million requests', shown(cheaper), total.nowPerMillionUsd && total.fusedPerMillionUsd ? `$${digits(total.nowPerMillionUsd.value)} → $${digits(total.fusedPerMillionUsd.value)} when fused` : 'a memory is not known', kind(cheaper))}
${tile('Double billing', percent(doubleBilling.share.value), `of all billed ${doubleBilling.unit}, for waiting`)}
${tile('Start-ups per request', startUps ? digits(startUps.perRequest.value) : '–', startUps ? `in ${startUps.requestsWith} requests` : 'not in the traces')}</div>`
}

function cell(estimate: Estimate | null | undefined): Markup {
  return estimate && Number.isFinite(estimate.value)
    ? html`<td>${digits(estimate.value)}<span class="soft">${digits(estimate.low)} – ${digits(estimate.high)}</span></td>`
    : html`<td>–</td>`
}

function entries({ entries }: Advice): Markup {
  const row = (entry: EntryAdvice, fused: boolean) => {
    const figures = fused ? entry.fused : entry.now
    return html`<tr><td>${fused ? 'fused' : html`<b>${entry.task}</b> now`}</td><td>${fused ? '' : entry.requests}</td>${cell(figures.p50Ms)}${cell(figures.p95Ms)}${cell(figures.costPerMillionUsd)}<td>${digits(figures.invocationsPerRequest)}</td><td>${digits(figures.startUpsPerRequest)}</td><td>${percent(figures.doubleBillingShare)}</td>${fused ? cell(entry.saves.p50Ms) : html`<td></td>`}${fused ? cell(entry.saves.costPerMillionUsd) : html`<td></td>`}</tr>`
  }
  return html`<div class="card scroll"><table class="plain"><thead><tr><th>Requests</th><th>n</th><th>p50 ms</th><th>p95 ms</th><th>$ / million</th><th>invocations</th><th>start-ups</th><th>double billing</th><th>saves p50 ms</th><th>saves $ / million</th></tr></thead>
<tbody>${entries.slice(0, 30).map(
    (entry) => html`${row(entry, false)}${row(entry, true)}
`,
  )}</tbody></table><p class="soft">95% intervals below each figure.</p></div>`
}

function drawing(advice: Advice): Markup {
  const graph = graphOf(advice)
  if (graph.nodes.length > MOST_NODES)
    return html`<p>${graph.nodes.length} tasks are too many for a drawing.</p><p class="mono">${advice.notation}</p>`
  return html`<div class="card graph scroll">${graphSvg(graph, 'fused')}<p class="mono soft">${advice.notation}</p></div>`
}

function functions({ groups }: Advice): Markup {
  const fused = groups.filter(({ savesMs }) => savesMs)
  if (fused.length === 0) return html`<p>Nothing is worth fusing for certain.</p>`
  return html`<div class="reasons" style="margin-top:16px">${fused.map(({ members, memoryMb, why }) => html`<div class="card"><h3>(${members.join(', ')})${memoryMb !== undefined && html` <span class="soft">${memoryMb} MB</span>`}</h3><ul>${why.map((words) => html`<li>${words}</li>`)}</ul></div>`)}</div>`
}

function edges({ edges }: Advice): Markup {
  const number = (value: number | undefined) => html`<td>${value === undefined ? '–' : digits(value)}</td>`
  const row = (edge: EdgeAdvice) =>
    html`<tr><td><details><summary>${edgeName(edge)}</summary><ul>${edge.why.map((words) => html`<li>${words}</li>`)}</ul></details></td><td>${digits(edge.callsPerRequest)}</td>${number(edge.waitMs)}${number(edge.runMs)}${number(edge.handOverMs)}<td>${edge.coldShare === undefined ? '–' : percent(edge.coldShare)}</td><td><span class="verdict ${edge.verdict}">${verdictWords[edge.verdict]}</span></td>${cell(edge.savesMs)}${cell(edge.savesPerMillionUsd)}</tr>`
  return html`<div class="card scroll"><table class="plain"><thead><tr><th>Call</th><th>per request</th><th>wait ms</th><th>works ms</th><th>hand-over ms</th><th>cold</th><th>advice</th><th>saves ms</th><th>saves $ / million</th></tr></thead>
<tbody>${edges.slice(0, 200).map(row)}</tbody></table><p class="soft">Medians; what each would save when it alone is fused, with the reasons behind its name. ⇢: nobody waits for it.</p></div>`
}

function sizes({ sizes }: Advice): Markup {
  const told = sizes.filter(({ from }) => from !== 'nothing')
  const untold = sizes.filter(({ from }) => from === 'nothing')
  const rest =
    untold.length > 0 &&
    html`<div class="card"><details><summary>Nothing can be told about ${untold.length} functions</summary><ul>${untold.slice(0, 100).map((size) => html`<li><b>${size.function}</b>: ${size.why}</li>`)}</ul></details></div>`
  if (told.length === 0) return html`${rest}`
  return html`<div class="card scroll"><table class="plain"><thead><tr><th>Function</th><th>now MB</th><th>advised MB</th><th>now ms</th><th>then ms</th><th>saves $ / million invocations</th></tr></thead>
<tbody>${told.slice(0, 100).map((size) => html`<tr><td><details><summary>${size.function}</summary><ul>${size.why.map((words) => html`<li>${words}</li>`)}</ul></details></td><td>${size.memoryMb ?? '–'}</td><td>${size.adviseMb ?? '–'}</td>${cell(size.nowMs)}${cell(size.thenMs)}${cell(size.savesPerMillionUsd)}</tr>`)}</tbody></table></div>
${rest}`
}
