import { type App, allFusedSetup, parseSetup, remoteSetup } from 'fusionize/setup'
import pc from 'picocolors'
import { expect, test } from 'vitest'
import { app } from '../../test/support/outcome.js'
import { layout } from './layout.js'
import { callGraph, edgeKey, type Figures } from './model.js'
import { graphSvg } from './svg.js'
import { graphText } from './text.js'

const plain = pc.createColors(false)
const figures: Figures = {
  tasks: { cart: { perRequest: 1, ownMs: 3.25 } },
  edges: { [edgeKey('checkout', 'stock', 'map')]: { perRequest: 2.5 } },
}

/** A cycle (ping ↔ pong) and a task that calls itself. */
const cyclic: App = {
  name: 'cyclic',
  tasks: Object.fromEntries(['again', 'ping', 'pong'].map((name) => [name, { name, file: `${name}.ts`, line: 1 }])),
  edges: [
    { from: 'again', to: 'again', modes: ['send'] },
    { from: 'ping', to: 'pong', modes: ['call'] },
    { from: 'pong', to: 'again', modes: ['call'] },
    { from: 'pong', to: 'ping', modes: ['call'] },
  ],
}

test('the tree shows mode, route, memory and figures of every call', () => {
  const setup = parseSetup('(checkout, cart)@512-(email)@128-(price)@256-(stock)@128', app)
  expect(`\n${graphText(callGraph(app, setup, figures), plain)}\n`).toBe(`
checkout POST /checkout        512 MB
├─ cart                  call  inline                3.25 ms
│  └─ price              call  remote 256 MB
├─ stock                 call  remote 128 MB
│  └─ price              call  remote 256 MB
├─ stock ↑               map   remote 128 MB  2.50×
└─ email                 send  remote 128 MB
`)
})

test('a call cycle and a recursion are shown once', () => {
  const text = graphText(callGraph(cyclic, remoteSetup(cyclic, 128)), plain)
  expect(text.split('\n').map((line) => line.replace(/(?<=\S) {2,}.*/, ''))).toEqual([
    'again',
    '└─ again ↻',
    '',
    'ping',
    '└─ pong',
    '   ├─ again ↑',
    '   └─ ping ↻',
  ])
})

test('a task that two functions inline is in both of their boxes', () => {
  const setup = parseSetup('(checkout, cart, price)@512-(email)@128-(stock, price)@256', app)
  const graph = callGraph(app, setup)
  expect(graph.nodes.filter((node) => node.task === 'price').map((node) => node.host)).toEqual(['checkout', 'stock'])
  expect(graph.groups.map((group) => group.host)).toEqual(['checkout', 'stock', 'email'])
})

test('functions that nothing can reach are left out', () => {
  expect(callGraph(app, allFusedSetup(app, 512)).groups).toMatchObject([{ host: 'checkout', memory: 512 }])
})

test('the layout keeps every task inside its own box and boxes apart', () => {
  for (const setup of [
    remoteSetup(app, 128),
    allFusedSetup(app, 128),
    parseSetup('(checkout, cart, price)@512-(email)@128-(stock, price)@256', app),
  ]) {
    const { nodes, groups, width, height } = layout(callGraph(app, setup))
    for (const { node, box } of nodes) {
      const own = groups.find(({ group }) => group.host === node.host)?.box
      expect(own && box.x >= own.x && box.x + box.width <= own.x + own.width).toBe(true)
      expect(own && box.y >= own.y && box.y + box.height <= own.y + own.height).toBe(true)
    }
    for (const [i, a] of groups.entries()) {
      expect(a.box.x >= 0 && a.box.y >= 0 && a.box.x + a.box.width <= width && a.box.y + a.box.height <= height).toBe(
        true,
      )
      for (const b of groups.slice(i + 1))
        expect(
          a.box.x + a.box.width < b.box.x ||
            b.box.x + b.box.width < a.box.x ||
            a.box.y + a.box.height < b.box.y ||
            b.box.y + b.box.height < a.box.y,
        ).toBe(true)
    }
  }
})

test('the drawing has a box per function, a line per call in its style, and nothing from elsewhere', () => {
  const svg = graphSvg(callGraph(app, remoteSetup(app, 128), figures)).text
  expect(svg.match(/<rect class="group"/g)).toHaveLength(5)
  expect(
    svg.match(/class="edge (call|map) remote" d="[^"]+" marker-end="url\(#graph-(call|map)\)"><title>/g),
  ).toHaveLength(5)
  expect(svg.match(/class="edge send remote"[^>]+><title>/g)).toHaveLength(1)
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<image|@import/)
})

test('the drawing of a cyclic graph is finite and names are escaped', () => {
  const svg = graphSvg(callGraph({ ...cyclic, name: '<b>"x"' }, allFusedSetup(cyclic, 128))).text
  expect(svg).not.toMatch(/NaN|<b>/)
  expect(svg).toContain('&#60;b&#62;')
})
