import { createMonitor } from '@fusionize/planner'
import { formatRecord, type InvocationRecord, parseRecord, RECORD_VERSION, spanId } from 'fusionize/record'
import type { App } from 'fusionize/setup'
import { figuresOf } from '../../src/graph/figures.js'
import type { Figures } from '../../src/graph/model.js'

/** A small application with a bucket that functions may evaluate, and one that only the platform can. */
export const video: App = {
  name: 'video',
  tasks: Object.fromEntries(
    ['archive', 'cut', 'detect', 'report', 'stereo', 'upload'].map((name) => [
      name,
      { name, file: `tasks/${name}.ts`, line: 1 },
    ]),
  ),
  edges: [
    { from: 'cut', to: 'archive', modes: ['send'], buckets: ['frames'] },
    { from: 'cut', to: 'stereo', modes: ['send'], buckets: ['frames'] },
    { from: 'stereo', to: 'detect', modes: ['call'] },
    { from: 'stereo', to: 'report', modes: ['send'], buckets: ['hits'] },
    { from: 'upload', to: 'archive', modes: ['send'] },
    { from: 'upload', to: 'cut', modes: ['call'] },
  ],
  buckets: {
    frames: {
      name: 'frames',
      file: 'buckets/frames.ts',
      line: 3,
      triggers: [
        { trigger: "bySet(['left', 'right'])", task: 'stereo' },
        { trigger: 'immediate()', task: 'archive' },
      ],
      producers: ['cut'],
      fusible: true,
    },
    hits: {
      name: 'hits',
      file: 'buckets/hits.ts',
      line: 3,
      triggers: [{ trigger: 'byTime(1_000)', task: 'report' }],
      producers: ['stereo'],
      fusible: false,
    },
  },
}
;(video.tasks.upload as { http?: unknown }).http = { method: 'POST', path: '/videos' }

const trace = '1'.padStart(32, '0')
const span = { mode: 'call', route: 'inline', start: 0, end: 4, bytesIn: 20, bytesOut: 10 } as const

function recordOf(n: number, task: string, more: Partial<InvocationRecord>): InvocationRecord {
  return {
    v: RECORD_VERSION,
    app: 'video',
    setup: 's',
    function: task,
    task,
    sandbox: `${task}-1`,
    invocation: `i${n}`,
    session: 's1',
    trace,
    span: `${n.toString(16).padStart(8, '0')}00000000`,
    parent: null,
    mode: 'send',
    attempt: 1,
    cold: null,
    start: 1_000_000 + n,
    reply: 4,
    wall: 4,
    peakMb: 60,
    memory: 256,
    concurrent: 1,
    spans: [{ ...span, parent: -1, task }],
    ...more,
  }
}

/** What one request left: `upload` with `cut` in it evaluates `frames`, which runs `stereo` there and starts `archive` elsewhere. */
export function videoRecords(): InvocationRecord[] {
  const fired = { bucket: 'frames', trigger: 0, id: 'f1', objects: 2, bytes: 300_000, waitMs: 0.02 }
  const upload = recordOf(1, 'upload', {
    mode: 'call',
    spans: [
      { ...span, parent: -1, task: 'upload' },
      { ...span, parent: 0, task: 'cut', start: 1, end: 3 },
      { ...span, parent: 1, task: 'stereo', mode: 'send', start: 4, end: 9 },
    ],
    puts: [
      { span: 1, bucket: 'frames', count: 2, bytes: 300_000 },
      { span: 2, bucket: 'hits', count: 1, bytes: 80 },
    ],
    firings: [{ span: 2, fired }],
  })
  const started = (n: number, task: string, at: number, bucket: string, bytes: number, waitMs: number) =>
    recordOf(n, task, {
      parent: spanId(upload.span, at),
      fired: { bucket, trigger: 1, id: `f${n}`, objects: 1, bytes, waitMs },
    })
  return [
    started(2, 'archive', 1, 'frames', 150_000, 6.5),
    upload,
    started(3, 'archive', 1, 'frames', 150_000, 6.5),
    started(4, 'report', 2, 'hits', 80, 410),
  ]
}

export function videoFigures(): Figures {
  const monitor = createMonitor()
  for (const record of videoRecords()) monitor.add(parseRecord(formatRecord(record)))
  return figuresOf(monitor.flush())
}
