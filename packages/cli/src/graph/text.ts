import type { Colors } from '../report/colors.js'
import { bytes } from '../report/format.js'
import type { BucketNode, CallGraph, DataEdge, Edge, FiringFigures, Group, Node } from './model.js'

/**
 * The call graph as a tree for the terminal: each entry, below it the calls that it makes with their mode, route and figures, and the
 * buckets into which it puts, `[frames]`, with what these start. What was shown in full before is named with `↑`, what is being shown (a
 * cycle) with `↻`.
 */
export function graphText(graph: CallGraph, colors: Colors): string {
  const nodes = new Map<string, Node | BucketNode>([...graph.nodes, ...graph.buckets].map((node) => [node.id, node]))
  const memory = new Map(graph.groups.map((group) => [group.host, group.memory]))
  const rows: Row[] = []
  const shown = new Set<string>()
  const walk = (node: Node | BucketNode, path: readonly string[], prefix: string) => {
    shown.add(node.id)
    const links = linksOf(graph, node.id)
    for (const [i, edge] of links.entries()) {
      const target = nodes.get(edge.to)
      if (!target) continue
      const last = i === links.length - 1
      const again =
        path.includes(edge.to) || edge.to === node.id
          ? '↻'
          : shown.has(edge.to) && linksOf(graph, edge.to).length > 0
            ? '↑'
            : ''
      const tree = `${prefix}${last ? '└─ ' : '├─ '}`
      rows.push('bucket' in target ? bucketRow(tree, target, edge, again) : row(tree, target, edge, memory, again))
      if (!again) walk(target, [...path, node.id], `${prefix}${last ? '   ' : '│  '}`)
    }
  }
  const isRoot = (group: Group) =>
    group.entry !== undefined || ![...graph.edges, ...graph.data].some((edge) => edge.to === hostNode(group))
  // What only a cycle leads into has no root of its own; it comes last.
  for (const group of [...graph.groups.filter(isRoot), ...graph.groups]) {
    const node = graph.nodes.find(({ id }) => id === hostNode(group))
    if (!node || shown.has(node.id)) continue
    if (rows.length > 0) rows.push({ tree: '', name: '', cells: [] })
    rows.push({
      tree: '',
      name: node.task,
      note: group.entry,
      cells: ['', `${group.memory} MB`, perRequest(node.figures?.perRequest), ms(node.figures?.ownMs)],
    })
    walk(node, [], '')
  }
  return render(rows, colors)
}

function hostNode(group: Group): string {
  return `${group.host}/${group.host}`
}

interface Row {
  tree: string
  name: string
  /** After the name: how requests enter, what starts it, or where it was shown before. */
  note?: string | undefined
  /** Mode, route, times per request, own time or size, and how long a bucket's start took. */
  cells: string[]
}

function row(
  tree: string,
  callee: Node,
  edge: Edge | DataEdge,
  memory: ReadonlyMap<string, number>,
  again: string,
): Row {
  const started = 'kind' in edge
  const cells = [
    started ? 'start' : edge.mode,
    edge.route === 'inline' ? 'inline' : `remote ${memory.get(callee.host) ?? 0} MB`,
    perRequest(edge.figures?.perRequest),
    ms(callee.figures?.ownMs),
    started ? wait(edge.figures) : '',
  ]
  const triggers = started ? (edge.triggers ?? []) : []
  return { tree, name: callee.task, note: [...triggers, again].filter((words) => words !== '').join(' '), cells }
}

function bucketRow(tree: string, { bucket, host }: BucketNode, edge: Edge | DataEdge, again: string): Row {
  const size = edge.figures && 'bytes' in edge.figures ? bytes(Math.round(edge.figures.bytes)) : ''
  const where = host === undefined ? 'platform' : 'fused'
  return { tree, name: `[${bucket}]`, note: again, cells: ['put', where, perRequest(edge.figures?.perRequest), size] }
}

function wait(figures: DataEdge['figures']): string {
  const waited = (figures as FiringFigures | undefined)?.waitMs
  return waited === undefined ? '' : `after ${ms(waited)}`
}

/** Calls, then puts; or what a bucket starts. */
function linksOf(graph: CallGraph, id: string): (Edge | DataEdge)[] {
  return [...graph.edges, ...graph.data].filter((edge) => edge.from === id)
}

function perRequest(count: number | undefined): string {
  return count === undefined ? '' : `${count.toFixed(count < 10 && count % 1 !== 0 ? 2 : 0)}×`
}

function ms(value: number | undefined): string {
  return value === undefined ? '' : `${value.toFixed(value < 10 ? 2 : 1)} ms`
}

function render(rows: Row[], colors: Colors): string {
  const first = Math.max(...rows.map((row) => row.tree.length + row.name.length + (row.note ? row.note.length + 1 : 0)))
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(0, ...rows.map((row) => row.cells[i]?.length ?? 0)))
  return rows
    .map(({ tree, name, note, cells }) => {
      if (name === '') return ''
      const label = note ? `${name} ${note}` : name
      const painted = `${colors.dim(tree)}${tree === '' ? colors.bold(name) : name}${note ? colors.dim(` ${note}`) : ''}`
      const padding = ' '.repeat(first - tree.length - label.length)
      const columns = cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      const [mode = '', route = '', ...figures] = columns
      return `${painted}${padding}  ${paintMode(mode, colors)}  ${paintRoute(route, colors)}  ${colors.dim(figures.join('  '))}`.trimEnd()
    })
    .join('\n')
}

function paintMode(mode: string, colors: Colors): string {
  return /^(send|start)/.test(mode)
    ? colors.magenta(mode)
    : mode.startsWith('put')
      ? colors.cyan(mode)
      : mode.startsWith('map')
        ? colors.blue(mode)
        : mode
}

function paintRoute(route: string, colors: Colors): string {
  return /^(inline|fused)/.test(route)
    ? colors.green(route)
    : /^(remote|platform)/.test(route)
      ? colors.yellow(route)
      : route
}
