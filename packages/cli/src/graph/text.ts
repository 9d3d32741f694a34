import type { Colors } from '../report/colors.js'
import type { CallGraph, Edge, Group, Node } from './model.js'

/**
 * The call graph as a tree for the terminal: each entry, below it the calls that it makes with their mode, route and figures. A task
 * that was shown in full before is named with `↑`, one that is being shown (a cycle) with `↻`.
 */
export function graphText(graph: CallGraph, colors: Colors): string {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  const memory = new Map(graph.groups.map((group) => [group.host, group.memory]))
  const rows: Row[] = []
  const shown = new Set<string>()
  const walk = (node: Node, path: readonly string[], prefix: string) => {
    shown.add(node.id)
    const calls = graph.edges.filter((edge) => edge.from === node.id)
    for (const [i, edge] of calls.entries()) {
      const callee = nodes.get(edge.to)
      if (!callee) continue
      const last = i === calls.length - 1
      const again =
        path.includes(edge.to) || edge.to === node.id ? '↻' : shown.has(edge.to) && hasCalls(graph, edge.to) ? '↑' : ''
      rows.push(row(`${prefix}${last ? '└─ ' : '├─ '}`, callee, edge, memory.get(callee.host) ?? 0, again))
      if (!again) walk(callee, [...path, node.id], `${prefix}${last ? '   ' : '│  '}`)
    }
  }
  const isRoot = (group: Group) => group.entry !== undefined || !graph.edges.some((edge) => edge.to === hostNode(group))
  // What only a cycle leads into has no root of its own; it comes last.
  for (const group of [...graph.groups.filter(isRoot), ...graph.groups]) {
    const node = nodes.get(hostNode(group))
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
  /** After the name: how requests enter, or where it was shown before. */
  note?: string
  /** Mode, route, calls per request, own time. */
  cells: string[]
}

function row(tree: string, callee: Node, edge: Edge, memory: number, again: string): Row {
  const cells = [
    edge.mode,
    edge.route === 'inline' ? 'inline' : `remote ${memory} MB`,
    perRequest(edge.figures?.perRequest),
    ms(callee.figures?.ownMs),
  ]
  return { tree, name: callee.task, note: again, cells }
}

function hasCalls(graph: CallGraph, id: string): boolean {
  return graph.edges.some((edge) => edge.from === id)
}

function perRequest(count: number | undefined): string {
  return count === undefined ? '' : `${count.toFixed(count < 10 && count % 1 !== 0 ? 2 : 0)}×`
}

function ms(value: number | undefined): string {
  return value === undefined ? '' : `${value.toFixed(value < 10 ? 2 : 1)} ms`
}

function render(rows: Row[], colors: Colors): string {
  const first = Math.max(...rows.map((row) => row.tree.length + row.name.length + (row.note ? row.note.length + 1 : 0)))
  const widths = [0, 1, 2, 3].map((i) => Math.max(0, ...rows.map((row) => row.cells[i]?.length ?? 0)))
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
  return mode.startsWith('send') ? colors.magenta(mode) : mode.startsWith('map') ? colors.blue(mode) : mode
}

function paintRoute(route: string, colors: Colors): string {
  return route.startsWith('inline') ? colors.green(route) : route.startsWith('remote') ? colors.yellow(route) : route
}
