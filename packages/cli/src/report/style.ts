/** The report's looks, light and dark; nothing is loaded from anywhere. */
export const style = `
:root { color-scheme: light dark;
  --bg: #fbfbfd; --card: #ffffff; --ink: #1d2330; --soft: #667085; --line: #dfe3ea; --accent: #2f5bd0; --good: #1a7f4b; --bad: #b42318;
  --p50: #2f5bd0; --p95: #8a63d2; --p99: #c2588f; --compute: #2f5bd0; --requests: #e0a03a; --startup: #c2588f; --gateway: #7a8599; }
@media (prefers-color-scheme: dark) { :root {
  --bg: #12161d; --card: #1a1f28; --ink: #e7eaf0; --soft: #98a2b3; --line: #303846; --accent: #86a8ff; --good: #5fc792; --bad: #ff8f84;
  --p50: #86a8ff; --p95: #b79af0; --p99: #ea8fbd; --compute: #6d92f5; --requests: #e8b65f; --startup: #ea8fbd; --gateway: #8c97aa; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.55 ui-sans-serif, system-ui, -apple-system, 'Segoe UI', sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 36px 24px 80px; }
h1 { font-size: 28px; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 44px 0 12px; }
h3 { font-size: 15px; margin: 0 0 6px; }
p { margin: 6px 0; }
code, .mono { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.bad { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin: 22px 0; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 24px; letter-spacing: -0.01em; }
.tile .down { color: var(--good); }
.tile .up { color: var(--bad); }
.words li { margin: 4px 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: baseline; margin-bottom: 8px; }
.scroll { overflow-x: auto; }
.legend { margin-left: auto; font-size: 12.5px; color: var(--soft); }
.legend span { margin-left: 12px; white-space: nowrap; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 5px; }
.chart svg text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: var(--ink); }
.chart svg .soft, .chart .tick text { fill: var(--soft); font-size: 11px; }
.chart .tick path { stroke: var(--line); stroke-width: 1; fill: none; }
.chart .axis { stroke: var(--soft); fill: none; }
.chart .adopted text:first-of-type { font-weight: 700; fill: var(--good); }
.chart .value { font-size: 11px; }
.whisker { stroke: currentColor; stroke-width: 1.4; fill: none; }
.mark { color: var(--ink); } .mark circle { fill: currentColor; stroke: currentColor; stroke-width: 1.6; }
.mark.hollow circle { fill: var(--card); }
.mark.p50 { color: var(--p50); } .mark.p95 { color: var(--p95); } .mark.p99 { color: var(--p99); }
.swatch.p50 { background: var(--p50); } .swatch.p95 { background: var(--p95); } .swatch.p99 { background: var(--p99); }
.part.compute { fill: var(--compute); } .part.requests { fill: var(--requests); } .part.startup { fill: var(--startup); } .part.gateway { fill: var(--gateway); }
.swatch.compute { background: var(--compute); } .swatch.requests { background: var(--requests); } .swatch.startup { background: var(--startup); } .swatch.gateway { background: var(--gateway); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th { text-align: right; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--line); padding: 6px 8px; white-space: nowrap; }
td { text-align: right; padding: 7px 8px; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
tr.figures td { border-bottom: 0; padding-bottom: 0; }
tr.notation td { padding-top: 2px; color: var(--soft); }
tbody.adopted td { background: color-mix(in srgb, var(--good) 9%, transparent); }
td .soft { display: block; font-size: 11.5px; }
.reasons { display: grid; gap: 12px; }
.reasons ul { margin: 6px 0 0; padding-left: 20px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; }
.chart svg, .graph svg { max-width: 100%; height: auto; }
`
