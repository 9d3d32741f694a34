import dagre from '@dagrejs/dagre'
import { type EdgeLabel, labelOf } from './labels.js'
import type { BucketNode, CallGraph, DataEdge, Edge, Group, Node } from './model.js'

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export interface Point {
  x: number
  y: number
}

/** Where everything of a call graph goes, px from the top left. */
export interface Layout {
  width: number
  height: number
  nodes: { node: Node; box: Box }[]
  groups: { group: Group; box: Box }[]
  edges: { edge: Edge; points: Point[] }[]
  buckets: { bucket: BucketNode; box: Box }[]
  /** `at` is the middle of the label. */
  data: { edge: DataEdge; points: Point[]; label: EdgeLabel; at: Point }[]
}

const NODE_HEIGHT = 34
const BUCKET_HEIGHT = 42
const LABEL_LINE = 13
const LABEL_CHARACTER = 5.8
const CHARACTER = 7.1
const GROUP_PADDING = 12
const GROUP_TITLE = 22
const MARGIN = 16

/** Lays a call graph out from left to right, each group's tasks together in its box. */
export function layout(graph: CallGraph): Layout {
  const g = new dagre.graphlib.Graph({ compound: true, multigraph: true })
  g.setGraph({ rankdir: 'LR', nodesep: 26, edgesep: 12, ranksep: 62, marginx: MARGIN, marginy: MARGIN })
  g.setDefaultEdgeLabel(() => ({}))
  for (const { host } of graph.groups) g.setNode(host, {})
  const titles = new Map(graph.groups.map((group) => [group.host, titleWidth(group) - 2 * GROUP_PADDING]))
  for (const node of graph.nodes) {
    const least = node.task === node.host ? Math.max(70, titles.get(node.host) ?? 0) : 70
    g.setNode(node.id, { width: Math.max(least, node.task.length * CHARACTER + 24), height: NODE_HEIGHT })
    g.setParent(node.id, node.host)
  }
  for (const { id, bucket, host } of graph.buckets) {
    g.setNode(id, { width: Math.max(64, bucket.length * CHARACTER + 28), height: BUCKET_HEIGHT })
    if (host !== undefined) g.setParent(id, host)
  }
  const drawn = graph.edges.filter((edge) => g.hasNode(edge.from) && g.hasNode(edge.to))
  for (const [i, edge] of drawn.entries()) g.setEdge(edge.from, edge.to, {}, String(i))
  const data = graph.data.filter((edge) => g.hasNode(edge.from) && g.hasNode(edge.to))
  const labels = data.map(labelOf)
  for (const [i, edge] of data.entries())
    g.setEdge(edge.from, edge.to, labelSize(labels[i] as EdgeLabel) ?? {}, `data ${i}`)
  dagre.layout(g)

  const nodes = graph.nodes.map((node) => ({ node, box: boxOf(g.node(node.id) as Placed) }))
  // dagre's own cluster boxes have no room for a title; ours are drawn around the nodes.
  const buckets = graph.buckets.map((bucket) => ({ bucket, box: boxOf(g.node(bucket.id) as Placed) }))
  const hosted = [
    ...nodes.map(({ node, box }) => ({ host: node.host, box })),
    ...buckets.map(({ bucket, box }) => ({ host: bucket.host, box })),
  ]
  const groups = graph.groups.map((group) => ({
    group,
    box: around(
      hosted.filter(({ host }) => host === group.host).map(({ box }) => box),
      titleWidth(group),
    ),
  }))
  const boxes = new Map([
    ...nodes.map(({ node, box }) => [node.id, box] as const),
    ...buckets.map(({ bucket, box }) => [bucket.id, box] as const),
  ])
  const placed = (edge: Edge | DataEdge, name: string) => g.edge(edge.from, edge.to, name) as PlacedEdge
  const lineOf = (edge: Edge | DataEdge, name: string) =>
    docked(placed(edge, name).points, boxes.get(edge.from), boxes.get(edge.to))
  const edges = drawn.map((edge, i) => ({ edge, points: lineOf(edge, String(i)) }))
  const dataLines = data.map((edge, i) => {
    const { x = 0, y = 0, width = 0 } = placed(edge, `data ${i}`)
    const line = lineOf(edge, `data ${i}`)
    const points = width > 0 ? levelled(line, { x, y }, width / 2) : line
    return { edge, points, label: labels[i] as EdgeLabel, at: { x, y } }
  })
  const outer = [...groups, ...buckets].map(({ box }) => box)
  const shift = {
    x: MARGIN - Math.min(...outer.map((box) => box.x), MARGIN),
    y: MARGIN - Math.min(...outer.map((box) => box.y), MARGIN),
  }
  const moved = ({ x, y }: Point): Point => ({ x: x + shift.x, y: y + shift.y })
  for (const { box } of [...nodes, ...groups, ...buckets]) {
    box.x += shift.x
    box.y += shift.y
  }
  return {
    width: Math.max(...outer.map((box) => box.x + box.width), 0) + MARGIN,
    height: Math.max(...outer.map((box) => box.y + box.height), 0) + MARGIN,
    nodes,
    groups,
    edges: edges.map((entry) => ({ ...entry, points: entry.points.map(moved) })),
    buckets,
    data: dataLines.map((entry) => ({ ...entry, points: entry.points.map(moved), at: moved(entry.at) })),
  }
}

/** The line is in the middle of the room. */
function labelSize({ above, below }: EdgeLabel): { width: number; height: number; labelpos: 'c' } | undefined {
  const lines = Math.max(above.length, below.length)
  if (lines === 0) return undefined
  const width = Math.max(...[...above, ...below].map((line) => line.length)) * LABEL_CHARACTER
  return { width: width + 8, height: 2 * (lines * LABEL_LINE + 4), labelpos: 'c' }
}

/** Lets an edge that goes forwards leave at the right side of its caller and arrive at the left side of its callee. */
function docked(points: Point[], from: Box | undefined, to: Box | undefined): Point[] {
  if (!from || !to || from.x + from.width >= to.x) return points
  const start = { x: from.x + from.width, y: from.y + from.height / 2 }
  const end = { x: to.x, y: to.y + to.height / 2 }
  const inner = points.slice(1, -1).filter((point) => point.x > start.x + 8 && point.x < end.x - 8)
  return [start, ...(inner.length > 1 ? inner : []), end]
}

/** Lets an edge that goes forwards be level along its label. */
function levelled(points: Point[], { x, y }: Point, half: number): Point[] {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || first.x >= x - half || last.x <= x + half) return points
  const before = points.filter((point) => point.x < x - half)
  const after = points.filter((point) => point.x > x + half)
  return [...before, { x: x - half, y }, { x: x + half, y }, ...after]
}

interface Placed extends Box {}

interface PlacedEdge extends Partial<Point> {
  width?: number
  points: Point[]
}

/** dagre places by centres. */
function boxOf({ x, y, width, height }: Placed): Box {
  return { x: x - width / 2, y: y - height / 2, width, height }
}

/** A memory that is not known (NaN) is left out. */
export function groupTitle({ entry, memory }: Group): string {
  return [...(Number.isNaN(memory) ? [] : [`${memory} MB`]), ...(entry === undefined ? [] : [entry])].join(' · ')
}

function titleWidth(group: Group): number {
  return groupTitle(group).length * 6.2 + 2 * GROUP_PADDING
}

function around(boxes: Box[], minWidth: number): Box {
  const left = Math.min(...boxes.map((box) => box.x)) - GROUP_PADDING
  const top = Math.min(...boxes.map((box) => box.y)) - GROUP_TITLE
  const right = Math.max(...boxes.map((box) => box.x + box.width)) + GROUP_PADDING
  const bottom = Math.max(...boxes.map((box) => box.y + box.height)) + GROUP_PADDING
  return { x: left, y: top, width: Math.max(right - left, minWidth), height: bottom - top }
}
