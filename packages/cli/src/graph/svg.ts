import { html, Markup } from '../report/markup.js'
import { groupTitle, type Layout, layout, type Point } from './layout.js'
import type { CallGraph, Edge } from './model.js'

/** Colours of a drawing; a page that embeds it may define the variables itself. */
const STYLE = `
.fz-graph { --ink: #1d2330; --soft: #667085; --line: #c9cfda; --box: #f6f8fb; --node: #ffffff; --sync: #2f5bd0; --async: #b2570f; }
@media (prefers-color-scheme: dark) {
  .fz-graph { --ink: #e7eaf0; --soft: #98a2b3; --line: #3d4656; --box: #1c222c; --node: #262e3a; --sync: #86a8ff; --async: #f0a35e; }
}
.fz-graph text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: var(--ink); }
.fz-graph .soft { fill: var(--soft); font-size: 10.5px; }
.fz-graph .group { fill: var(--box); stroke: var(--line); }
.fz-graph .node { fill: var(--node); stroke: var(--line); }
.fz-graph .host { stroke: var(--ink); stroke-width: 1.4; }
.fz-graph .edge { fill: none; stroke-width: 1.5; }
.fz-graph .call, .fz-graph .map { stroke: var(--sync); }
.fz-graph .send { stroke: var(--async); stroke-dasharray: 5 4; }
.fz-graph .remote { stroke-width: 2.4; }
.fz-graph .tip-call, .fz-graph .tip-map { fill: var(--sync); }
.fz-graph .tip-send { fill: var(--async); }
`

const LEGEND: readonly { text: string; mode: Edge['mode']; route: Edge['route'] }[] = [
  { text: 'call, inline', mode: 'call', route: 'inline' },
  { text: 'call, remote', mode: 'call', route: 'remote' },
  { text: 'send, inline', mode: 'send', route: 'inline' },
  { text: 'send, remote', mode: 'send', route: 'remote' },
]
const LEGEND_STEP = 118
const LEGEND_HEIGHT = 30

/**
 * The call graph as one SVG element that needs nothing else: a box per function with its memory, its tasks inside; solid lines wait for
 * their result, dashed ones do not; thick lines leave the function.
 * @param id makes the ids inside unique when a page holds several drawings
 */
export function graphSvg(graph: CallGraph, id = 'graph'): Markup {
  const placed = layout(graph)
  const width = Math.ceil(Math.max(placed.width, LEGEND.length * LEGEND_STEP + 32))
  const height = Math.ceil(placed.height + LEGEND_HEIGHT)
  return html`<svg xmlns="http://www.w3.org/2000/svg" class="fz-graph" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Call graph of ${graph.app}">
<style>${new Markup(STYLE)}</style>
<defs>${(['call', 'map', 'send'] as const).map(
    (mode) =>
      html`<marker id="${id}-${mode}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="tip-${mode}"/></marker>`,
  )}</defs>
${placed.groups.map(
  ({ box }) =>
    html`<rect class="group" x="${n(box.x)}" y="${n(box.y)}" width="${n(box.width)}" height="${n(box.height)}" rx="8"/>
`,
)}
${placed.edges.map((edge) => drawEdge(edge, id))}
${placed.groups.map(
  ({ group, box }) => html`<text class="soft" x="${n(box.x + 12)}" y="${n(box.y + 15)}">${groupTitle(group)}</text>
`,
)}
${placed.nodes.map((entry) => drawNode(entry))}
<g transform="translate(16 ${n(placed.height + 8)})">${LEGEND.map(
    ({ text, mode, route }, i) =>
      html`<path class="edge ${mode} ${route}" d="M${i * LEGEND_STEP} 6 h26" marker-end="url(#${id}-${mode})"/><text class="soft" x="${i * LEGEND_STEP + 33}" y="10">${text}</text>`,
  )}</g>
</svg>`
}

function drawNode({ node, box }: Layout['nodes'][number]): Markup {
  const host = node.task === node.host
  const { figures } = node
  const title = figures
    ? `${node.task}: ${figures.perRequest.toFixed(2)} runs per request${figures.ownMs === undefined ? '' : `, own time ${figures.ownMs.toFixed(2)} ms`}`
    : node.task
  const middle = box.x + box.width / 2
  const own = figures?.ownMs
  return html`<g><title>${title}</title><rect class="node${host ? ' host' : ''}" x="${n(box.x)}" y="${n(box.y)}" width="${n(box.width)}" height="${n(box.height)}" rx="6"/><text x="${n(middle)}" y="${n(box.y + (own === undefined ? 21 : 15))}" text-anchor="middle">${node.task}</text>${own !== undefined && html`<text class="soft" x="${n(middle)}" y="${n(box.y + 28)}" text-anchor="middle">${own.toFixed(own < 10 ? 2 : 1)} ms</text>`}</g>
`
}

function drawEdge({ edge, points }: Layout['edges'][number], id: string): Markup {
  const count = edge.figures?.perRequest
  const title = `${edge.from.split('/')[1]} → ${edge.to.split('/')[1]}: ${edge.mode}, ${edge.route}${count === undefined ? '' : `, ${count.toFixed(2)} per request`}`
  return html`<path class="edge ${edge.mode} ${edge.route}" d="${curve(points)}" marker-end="url(#${id}-${edge.mode})"><title>${title}</title></path>
`
}

/** A smooth line through the points that leaves and enters each of them horizontally; one that turns back keeps its corners. */
function curve(points: readonly Point[]): string {
  return points
    .map(({ x, y }, i) => {
      const before = points[i - 1]
      if (!before) return `M${n(x)} ${n(y)}`
      if (x <= before.x) return `L${n(x)} ${n(y)}`
      const middle = n((before.x + x) / 2)
      return `C${middle} ${n(before.y)} ${middle} ${n(y)} ${n(x)} ${n(y)}`
    })
    .join(' ')
}

function n(value: number): number {
  return Math.round(value * 10) / 10
}
