import type { Estimate } from '@fusionize/planner'
import { printSetup } from 'fusionize/setup'
import { isIndicative, type Outcome, type Row, rowOf } from '../control/outcome.js'
import { callGraph } from '../graph/model.js'
import { graphSvg } from '../graph/svg.js'
import { type Column, costChart, latencyChart } from './charts.js'
import { bytes, digits, percent, usd } from './format.js'
import { goalText } from './goal-text.js'
import { html, Markup } from './markup.js'
import { style } from './style.js'

/** The report of a run as one HTML page that loads nothing. */
export function reportPage(outcome: Outcome): string {
  const { app } = outcome
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${app.name}: fusionize report</title>
<style>${new Markup(style)}</style>
</head>
<body><main>
<h1>${app.name}</h1>
<p class="soft">Strategy ${outcome.strategy}, goal: ${goalText(outcome.goal)} · ${outcome.startedAt.replace('T', ' ').slice(0, 16)} UTC · ${outcome.facts.emulate ? `delays of ${outcome.facts.emulate} emulated` : 'no emulation'}</p>
${tiles(outcome)}
<ul class="words">${outcome.verdict.words.map((words) => html`<li>${words}</li>`)}</ul>
<h2>Setups over time</h2>
${charts(outcome)}
${table(outcome)}
<h2>Why</h2>
${reasons(outcome)}
${graphs(outcome)}
${emulation(outcome)}
<h2>How it was measured</h2>
${facts(outcome)}
</main></body>
</html>
`.text
}

function tiles(outcome: Outcome): Markup {
  const { verdict, overhead } = outcome
  const adopted = rowOf(outcome, outcome.bestId)?.measurement
  const first = outcome.rounds[0]?.measurement
  const tile = (
    title: string,
    reduction: number | null,
    before?: Estimate | null,
    after?: Estimate | null,
    unit = '',
  ) =>
    html`<div class="tile"><span class="soft">${title}</span><b class="${(reduction ?? 0) >= 0 ? 'down' : 'up'}">${reduction === null ? '–' : `${reduction >= 0 ? '−' : '+'}${percent(Math.abs(reduction))}`}</b><span class="soft">${before && after ? `${digits(before.value)} → ${digits(after.value)} ${unit}` : 'not measured'}</span></div>`
  return html`<div class="tiles">
${tile('Median latency', verdict.medianReduction, first?.p50Ms, adopted?.p50Ms, 'ms')}
${tile('Cost per million requests', verdict.costReduction, first?.costPerMillionUsd, adopted?.costPerMillionUsd, 'USD')}
<div class="tile"><span class="soft">Deployed setups</span><b>${overhead.deployments}</b><span class="soft">${outcome.converged ? 'converged' : 'not converged'} in ${digits(overhead.seconds)} s</span></div>
<div class="tile"><span class="soft">Errors</span><b>${outcome.rounds.reduce((sum, row) => sum + (row.measurement?.errors ?? 0), 0)}</b><span class="soft">of ${outcome.rounds.reduce((sum, row) => sum + (row.measurement?.requests ?? 0), 0)} measured requests</span></div>
</div>`
}

function columnsOf(outcome: Outcome): Column[] {
  return [
    ...outcome.rounds.map((row, i) => ({
      row,
      label: i === 0 ? '1, first' : `${i + 1}`,
      adopted: row.id === outcome.bestId,
    })),
    ...outcome.baselines.map((row) => ({ row, label: row.strategy, adopted: false })),
  ]
}

function charts(outcome: Outcome): Markup {
  const columns = columnsOf(outcome)
  return html`<div class="charts">${latencyChart(columns)}${costChart(columns)}</div>`
}

function table(outcome: Outcome): Markup {
  return html`<div class="scroll card" style="margin-top:16px"><table>
<thead><tr><th>Setup</th><th>n</th><th>p50 ms</th><th>p95 ms</th><th>p99 ms</th><th>$ / million</th><th>compute</th><th>requests</th><th>start-up</th><th>gateway</th><th>cold</th><th>errors</th></tr></thead>
${columnsOf(outcome).map(({ row, label, adopted }) => tableRow(row, label, adopted))}
</table><p class="soft">95% intervals by block bootstrap below each figure; cold: start-ups; * from fewer samples than the percentile needs (p95: 300, p99: 1000), only indicative.</p></div>`
}

function tableRow(row: Row, label: string, adopted: boolean): Markup {
  const m = row.measurement
  const estimate = (e: Estimate | null, star = false) =>
    e && Number.isFinite(e.value)
      ? html`<td>${digits(e.value)}${star ? '*' : ''}<span class="soft">${digits(e.low)} – ${digits(e.high)}</span></td>`
      : html`<td>–</td>`
  const part = (which: 'compute' | 'requests' | 'startup' | 'gateway') =>
    html`<td>${m?.cost ? digits(m.cost[which]) : '–'}</td>`
  const latency = (which: 'p50Ms' | 'p95Ms' | 'p99Ms') =>
    m ? estimate(m[which], isIndicative(which, m[which])) : html`<td>–</td>`
  return html`<tbody class="${adopted ? 'adopted' : ''}"><tr class="figures"><td><b>${adopted ? '★ ' : ''}${label}</b></td><td>${m?.requests ?? 0}</td>${latency('p50Ms')}${latency('p95Ms')}${latency('p99Ms')}${estimate(m?.costPerMillionUsd ?? null)}${part('compute')}${part('requests')}${part('startup')}${part('gateway')}<td>${m?.coldStarts ?? 0}</td><td>${m?.errors ?? 0}</td></tr>
<tr class="notation"><td colspan="12"><span class="mono">${row.notation}</span>${row.failure !== undefined && html`<div class="bad">not adopted: ${row.failure}</div>`}</td></tr></tbody>
`
}

function reasons(outcome: Outcome): Markup {
  return html`<div class="reasons">${outcome.rounds.map(
    (row, i) =>
      html`<div class="card"><h3>${row.id === outcome.bestId ? '★ ' : ''}${i + 1}. ${row.reason}</h3>${row.reasons.length > 0 && html`<ul>${row.reasons.map(({ change, why }) => html`<li><b>${change}</b>: ${why}</li>`)}</ul>`}</div>`,
  )}</div>`
}

function graphs(outcome: Outcome): Markup {
  const first = outcome.rounds[0]
  const adopted = rowOf(outcome, outcome.bestId)
  const graph = (title: string, row: Row, id: string, figures: Outcome['figures']['first']) =>
    html`<h2>${title}</h2><div class="card graph">${graphSvg(callGraph(outcome.app, row.setup, figures), id)}<p class="mono soft">${printSetup(row.setup, outcome.app)}</p></div>`
  return html`${first && graph('Call graph before', first, 'before', outcome.figures.first)}${adopted && adopted.id !== first?.id && graph('Call graph after', adopted, 'after', outcome.figures.adopted)}`
}

function emulation({ emulation, facts }: Outcome): Markup | null {
  if (!facts.emulate) return null
  if (!emulation)
    return html`<h2>What was emulated</h2><p>Hand-over and start-up delays of ${facts.emulate}, from a dated table by mode and memory of the caller, with the same seed for all setups. Run with <code>--compare-emulation</code> to see how much of the gain they make.</p>`
  const line = (title: string, m: NonNullable<Outcome['emulation']>['first']) =>
    html`<tr><td>${title}</td><td>${digits(m.on.p50Ms.value)}</td><td>${digits(m.off.p50Ms.value)}</td><td>${m.on.costPerMillionUsd ? digits(m.on.costPerMillionUsd.value) : '–'}</td><td>${m.off.costPerMillionUsd ? digits(m.off.costPerMillionUsd.value) : '–'}</td></tr>`
  return html`<h2>What was emulated</h2><div class="card"><p>Hand-over and start-up delays of ${facts.emulate}, from a dated table by mode and memory of the caller, with the same seed for all setups. Their share of the gain: <b>${percent(emulation.medianShare)}</b> in median latency, <b>${percent(emulation.costShare)}</b> in cost (– where there is no gain).</p>
<table><tr><th></th><th>p50 ms, on</th><th>p50 ms, off</th><th>$ / million, on</th><th>$ / million, off</th></tr>${line('First setup', emulation.first)}${line('Adopted setup', emulation.adopted)}</table></div>`
}

function facts(outcome: Outcome): Markup {
  const { machine, load, facts, overhead } = outcome
  const { prices } = facts
  const list: [string, string][] = [
    [
      'Machine',
      `${machine.cpu}, ${machine.cores} cores, ${digits(machine.memoryGb)} GB, ${machine.os}, Node ${machine.node}`,
    ],
    [
      'Platform',
      `${facts.platform}, durability ${facts.durability}, ${facts.mbPerCore} MB per core, CPU share ${facts.cpuShareEnforced ? 'enforced' : `not enforced: ${facts.cpuShareReason}`}`,
    ],
    ['Load', `${load.profile}, ${load.rps} requests/s, open loop, latency from the intended start; seed ${load.seed}`],
    [
      'Machine busy',
      `at most ${percent(Math.max(0, ...[...outcome.rounds, ...outcome.baselines].map((row) => row.machineBusy ?? 0)))} of its CPU during a measured load, whoever used it`,
    ],
    ['Samples', `${load.requestsPerSetup} requests per setup, finalists measured again in turn`],
    [
      'Warm-up',
      `the same load for ${load.warmUpSeconds} s before each measurement, discarded after all it caused had ended`,
    ],
    [
      'Prices',
      `${prices.name} of ${prices.date}: $${prices.perGbSecond} per GB-s, $${digits(prices.perRequest * 1e6)} per million invocations, $${digits(prices.perGatewayRequest * 1e6)} per million gateway requests, start-up ${prices.billsInit ? 'billed' : 'free'}`,
    ],
    [
      'Management',
      `${digits(overhead.cpuSeconds)} CPU-s, ${bytes(overhead.bytes)}, ${usd(overhead.usd)} for the adopted setup; ${usd(overhead.perMillionRequests.usd)} per million requests measured`,
    ],
    ['Requests spent', `${overhead.requestsSpent} until adoption, warm-ups included`],
  ]
  return html`<div class="card"><dl>${list.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl></div>`
}
