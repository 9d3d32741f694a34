import { html, Markup } from '../report/markup.js'
import { style } from '../report/style.js'
import { skippedRows } from './command.js'
import type { Reading } from './read-files.js'
import { readingLine, skippedLines } from './reading-text.js'

const STYLE = `
.chart .cdf { fill: none; stroke: var(--accent); stroke-width: 2; }
.chart .cdf-mark { fill: var(--accent); stroke: var(--card); stroke-width: 1.5; }
table.plain td, table.plain th { text-align: right; }
table.plain td:first-child, table.plain th:first-child, td.left, th.left { text-align: left !important; white-space: normal; }
.verdict { border-radius: 999px; padding: 1px 9px; border: 1px solid var(--line); white-space: nowrap; }
.verdict.fuse { color: var(--good); border-color: var(--good); }
.verdict.trade, .verdict.unclear { color: var(--bad); border-color: var(--bad); }
details summary { cursor: pointer; }
details ul { margin: 6px 0 0; padding-left: 20px; }
`

/** A page about traces that loads nothing; all that comes from traces is escaped by the template. */
export function tracesPage(title: string, input: Reading, body: Markup): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(style + STYLE)}</style>
</head>
<body><main>
<h1>${title}</h1>
<p class="soft">${readingLine(input)}</p>
${body}
${files(input)}
</main></body>
</html>
`.text
}

function files(input: Reading): Markup {
  const skipped = skippedRows(input)
  return html`<h2>What was read</h2><div class="card scroll"><table class="plain"><thead><tr><th>File</th><th class="left">format</th><th>spans</th><th>skipped</th></tr></thead>
<tbody>${input.files.map((file) => html`<tr><td><code>${file.file}</code></td><td class="left">${file.formats.join(', ') || '–'}</td><td>${file.spans}</td><td>${file.skipped}</td></tr>`)}</tbody></table>
${skippedLines({ ...input, firstSkipped: [] }).map((words) => html`<p>${words}</p>`)}
${skipped.length > 0 && html`<ul>${skipped.map(({ place, why }) => html`<li><code>${place}</code>: ${why}</li>`)}</ul>`}</div>`
}
