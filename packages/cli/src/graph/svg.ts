import { html, Markup } from '../report/markup.js'
import { titleOf } from './labels.js'
import { type Box, groupTitle, type Layout, layout, type Point } from './layout.js'
import type { CallGraph, DataEdge, Edge } from './model.js'

/** Colours of a drawing; a page that embeds it may define the variables itself. */
const STYLE = `
.fz-graph { --ink: #1d2330; --soft: #667085; --line: #c9cfda; --box: #f6f8fb; --node: #ffffff; --back: #ffffff; --sync: #2f5bd0; --async: #b2570f; --data: #0f766e; --drum: #e6f4f1; }
@media (prefers-color-scheme: dark) {
  .fz-graph { --ink: #e7eaf0; --soft: #98a2b3; --line: #3d4656; --box: #1c222c; --node: #262e3a; --back: #1a1f28; --sync: #86a8ff; --async: #f0a35e; --data: #5fd0bd; --drum: #17332f; }
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
.fz-graph .bucket { fill: var(--drum); stroke: var(--data); }
.fz-graph .bucket.fused { stroke-width: 1.8; }
.fz-graph .put, .fz-graph .start { stroke: var(--data); stroke-dasharray: 1.5 4; stroke-linecap: round; }
.fz-graph .label { fill: var(--ink); font-size: 10.5px; paint-order: stroke; stroke: var(--back); stroke-width: 4px; stroke-linejoin: round; }
.fz-graph .tip-data { fill: var(--data); }
.fz-graph .tip-call, .fz-graph .tip-map { fill: var(--sync); }
.fz-graph .tip-send { fill: var(--async); }
`

interface LegendEntry {
  text: string
  mode: Edge['mode'] | DataEdge['kind']
  route: Edge['route']
}

const LEGEND: readonly LegendEntry[] = [
  { text: 'call, inline', mode: 'call', route: 'inline' },
  { text: 'call, remote', mode: 'call', route: 'remote' },
  { text: 'send, inline', mode: 'send', route: 'inline' },
  { text: 'send, remote', mode: 'send', route: 'remote' },
]
const DATA_LEGEND: readonly LegendEntry[] = [
  { text: 'bucket, inline', mode: 'put', route: 'inline' },
  { text: 'bucket, remote', mode: 'put', route: 'remote' },
]
const LEGEND_STEP = 118
const LEGEND_HEIGHT = 30

/**
 * The call graph as one SVG element that needs nothing else: a box per function with its memory, its tasks inside; solid lines wait for
 * their result, dashed ones do not; thick lines leave the function. A bucket is a drum, in the box of the function that evaluates it or
 * outside; dotted lines go into it and, with the trigger's text, from it to what it starts.
 * @param id makes the ids inside unique when a page holds several drawings
 */
export function graphSvg(graph: CallGraph, id = 'graph'): Markup {
  const placed = layout(graph)
  const legend = graph.buckets.length > 0 ? [...LEGEND, ...DATA_LEGEND] : LEGEND
  const width = Math.ceil(Math.max(placed.width, legend.length * LEGEND_STEP + 32))
  const height = Math.ceil(placed.height + LEGEND_HEIGHT)
  return html`<svg xmlns="http://www.w3.org/2000/svg" class="fz-graph" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Call graph of ${graph.app}">
<style>${new Markup(STYLE)}</style>
<defs>${(['call', 'map', 'send'] as const).map(
    (mode) =>
      html`<marker id="${id}-${mode}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="tip-${mode}"/></marker>`,
  )}${
    graph.buckets.length > 0 &&
    html`<marker id="${id}-data" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="tip-data"/></marker>`
  }</defs>
${placed.groups.map(
  ({ box }) =>
    html`<rect class="group" x="${n(box.x)}" y="${n(box.y)}" width="${n(box.width)}" height="${n(box.height)}" rx="8"/>
`,
)}
${placed.edges.map((edge) => drawEdge(edge, id))}
${placed.data.map((edge) => drawData(edge, id))}
${placed.groups.map(
  ({ group, box }) => html`<text class="soft" x="${n(box.x + 12)}" y="${n(box.y + 15)}">${groupTitle(group)}</text>
`,
)}
${placed.nodes.map((entry) => drawNode(entry))}
${placed.buckets.map((entry) => drawBucket(entry))}
${placed.data.map(drawLabel)}
<g transform="translate(16 ${n(placed.height + 8)})">${legend.map(
    ({ text, mode, route }, i) =>
      html`<path class="edge ${mode} ${route}" d="M${i * LEGEND_STEP} 6 h26" marker-end="url(#${id}-${tipOf(mode)})"/><text class="soft" x="${i * LEGEND_STEP + 33}" y="10">${text}</text>`,
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

function drawData({ edge, points }: Layout['data'][number], id: string): Markup {
  return html`<path class="edge ${edge.kind} ${edge.route}" d="${curve(points)}" marker-end="url(#${id}-data)"><title>${titleOf(edge, nameOf(edge.from), nameOf(edge.to))}</title></path>
`
}

function drawLabel({ label: { above, below }, at }: Layout['data'][number]): Markup {
  const lines = [
    ...above.map((text, i) => ({ text, y: at.y - 6 - 13 * (above.length - 1 - i) })),
    ...below.map((text, i) => ({ text, y: at.y + 14 + 13 * i })),
  ]
  return html`${lines.map(
    ({ text, y }) => html`<text class="label" x="${n(at.x)}" y="${n(y)}" text-anchor="middle">${text}</text>
`,
  )}`
}

/** A drum. */
function drawBucket({ bucket: { bucket, host }, box }: Layout['buckets'][number]): Markup {
  const title = host === undefined ? `bucket ${bucket}, in the platform` : `bucket ${bucket}, evaluated by ${host}`
  const middle = n(box.x + box.width / 2)
  return html`<g><title>${title}</title><path class="bucket${host === undefined ? '' : ' fused'}" d="${drum(box)}"/><text x="${middle}" y="${n(box.y + 25)}" text-anchor="middle">${bucket}</text>${host !== undefined && html`<text class="soft" x="${middle}" y="${n(box.y + 36)}" text-anchor="middle">fused</text>`}</g>
`
}

function drum({ x, y, width, height }: Box): string {
  const [rx, ry] = [n(width / 2), 6]
  const [left, right, top, bottom] = [n(x), n(x + width), n(y + ry), n(y + height - ry)]
  const lid = `A${rx} ${ry} 0 0 0 ${right} ${top}`
  return `M${left} ${top} A${rx} ${ry} 0 0 1 ${right} ${top} V${bottom} A${rx} ${ry} 0 0 1 ${left} ${bottom} z M${left} ${top} ${lid}`
}

function tipOf(mode: LegendEntry['mode']): string {
  return mode === 'put' || mode === 'start' ? 'data' : mode
}

/** The name in a node's id: `frames` of `cut/[frames]`. */
function nameOf(id: string): string {
  return (id.split('/').at(-1) ?? id).replace(/^\[|\]$/g, '')
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
