import { parseSetup, remoteSetup } from 'fusionize/setup'
import pc from 'picocolors'
import { expect, test } from 'vitest'
import { video, videoFigures } from '../../test/support/buckets.js'
import { app as shop } from '../../test/support/outcome.js'
import { type Box, layout } from './layout.js'
import { callGraph, edgeKey } from './model.js'
import { graphSvg } from './svg.js'
import { graphText } from './text.js'

const plain = pc.createColors(false)
const remote = remoteSetup(video, 128)
/** `upload` evaluates `frames`: `stereo` runs in it, `archive` starts elsewhere. */
const fused = parseSetup(
  '(upload, cut, detect, stereo:send | frames)@512-(archive)@128-(cut)@128-(detect)@128-(report)@128-(stereo)@128',
)

test('the tree shows buckets below who puts there, and what they start with trigger, route and figures', () => {
  expect(`\n${graphText(callGraph(video, fused, videoFigures()), plain)}\n`).toBe(`
upload POST /videos                              512 MB         1×  2.00 ms
├─ cut                                    call   inline         1×  2.00 ms
│  └─ [frames]                            put    fused          2×   150 kB
│     ├─ stereo bySet(['left', 'right'])  start  inline         1×  5.00 ms   after 0.02 ms
│     │  ├─ detect                        call   inline
│     │  └─ [hits]                        put    platform       1×     80 B
│     │     └─ report byTime(1_000)       start  remote 128 MB  1×  4.00 ms  after 410.0 ms
│     └─ archive immediate()              start  remote 128 MB  2×  4.00 ms   after 6.50 ms
└─ archive                                send   remote 128 MB      4.00 ms
`)
})

test('a bucket is one node in the platform, or one in each function that evaluates it', () => {
  expect(callGraph(video, remote).buckets).toEqual([
    { id: '[frames]', bucket: 'frames' },
    { id: '[hits]', bucket: 'hits' },
  ])
  const graph = callGraph(video, fused, videoFigures())
  expect(graph.buckets).toContainEqual({ id: 'upload/[frames]', bucket: 'frames', host: 'upload' })
  expect(graph.groups.map(({ host, tasks }) => [host, tasks])).toEqual([
    ['upload', ['upload', 'cut', 'stereo', 'detect']],
    ['archive', ['archive']],
    ['report', ['report']],
  ])
  expect(graph.data).toContainEqual({
    from: 'upload/[frames]',
    to: 'upload/stereo',
    kind: 'start',
    route: 'inline',
    triggers: ["bySet(['left', 'right'])"],
    figures: { perRequest: 1, objects: 2, bytes: 300_000, waitMs: expect.closeTo(0.02) },
  })
  expect(graph.data).toContainEqual({
    from: 'upload/cut',
    to: 'upload/[frames]',
    kind: 'put',
    route: 'inline',
    figures: { perRequest: 2, bytes: 150_000 },
  })
})

test('a send beside those through buckets is shown once it was seen', () => {
  const sends = (seen: boolean) => {
    const figures = videoFigures()
    if (seen) figures.edges[edgeKey('cut', 'stereo', 'send')] = { perRequest: 1 }
    return callGraph(video, remote, figures).edges.filter(({ from, mode }) => from === 'cut/cut' && mode === 'send')
  }
  expect(sends(false)).toEqual([])
  expect(sends(true)).toMatchObject([{ to: 'stereo/stereo', figures: { perRequest: 1 } }])
})

test('how long a start took is told only for the route by which it was seen', () => {
  const start = callGraph(video, remote, videoFigures()).data.find(({ to }) => to === 'stereo/stereo')
  expect(start).toMatchObject({ route: 'remote', figures: { perRequest: 1 } })
  expect(start?.figures).not.toHaveProperty('waitMs')
})

test('a fused bucket is drawn inside its function, one of the platform outside of all, and nothing overlaps', () => {
  for (const setup of [remote, fused]) {
    const { buckets, groups, nodes, width, height } = layout(callGraph(video, setup, videoFigures()))
    for (const { bucket, box } of buckets) {
      expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height).toBe(true)
      for (const { group, box: outer } of groups)
        if (group.host === bucket.host) expect(contains(outer, box)).toBe(true)
        else expect(overlaps(outer, box), `${bucket.id} in ${group.host}`).toBe(false)
      for (const { node, box: other } of nodes) expect(overlaps(other, box), `${bucket.id} ${node.id}`).toBe(false)
    }
  }
})

test('the drawing has a drum per bucket, dotted lines, triggers as text, and a legend for them', () => {
  const svg = graphSvg(callGraph(video, fused, videoFigures())).text
  expect(svg.match(/<path class="bucket fused"/g)).toHaveLength(1)
  expect(svg.match(/<path class="bucket"/g)).toHaveLength(1)
  expect(svg.match(/class="edge start remote" d="[^"]+" marker-end="url\(#graph-data\)"><title>/g)).toHaveLength(2)
  expect(svg).toContain('>bySet([&#39;left&#39;, &#39;right&#39;])</text>')
  expect(svg).toContain('1.00× · 300 kB · after 0.02 ms')
  expect(svg).toContain('bucket, inline')
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  expect(graphSvg(callGraph(shop, remoteSetup(shop, 128))).text).not.toMatch(/bucket, inline|graph-data/)
})

function contains(outer: Box, { x, y, width, height }: Box): boolean {
  return x >= outer.x && y >= outer.y && x + width <= outer.x + outer.width && y + height <= outer.y + outer.height
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}
