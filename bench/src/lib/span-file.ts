import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

/** Uniform numbers on [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** One call of the made application: who, how long it works, whether its caller waits for it, and what it calls in turn. */
interface MadeTask {
  task: string
  workMs: number
  mode?: 'call' | 'send'
  /** Beside the one before it. */
  beside?: boolean
  calls?: MadeTask[]
}

/** A shop of 12 functions, in the shapes that people have: a chain, a fan-out, and a mail that nobody waits for. */
const shop: MadeTask = {
  task: 'checkout',
  workMs: 12,
  calls: [
    { task: 'cart', workMs: 8, calls: [{ task: 'session', workMs: 4 }] },
    {
      task: 'price',
      workMs: 15,
      calls: [
        { task: 'tax', workMs: 6 },
        { task: 'discount', workMs: 5, beside: true },
      ],
    },
    { task: 'stock', workMs: 10 },
    { task: 'shipping', workMs: 9, beside: true },
    { task: 'payment', workMs: 30, calls: [{ task: 'fraud', workMs: 18 }] },
    { task: 'mail', workMs: 25, mode: 'send', calls: [{ task: 'render', workMs: 14 }] },
  ],
}
/** Spans of one request: each function's, and its caller's of the call. */
export const SPANS_PER_REQUEST = 23

/**
 * Writes OTLP JSON lines as the OpenTelemetry collector's file exporter does: batches of spans by resource, in the order in which spans end, so
 * that those of one request are spread over lines.
 * @returns spans and bytes written
 */
export async function writeSpans(file: string, spans: number, seed = 1): Promise<{ spans: number; bytes: number }> {
  const out = createWriteStream(file)
  const random = randomFrom(seed)
  const requests = Math.ceil(spans / SPANS_PER_REQUEST)
  let pending: Made[] = []
  let [written, bytes] = [0, 0]
  const flush = async () => {
    pending.sort((a, b) => a.endMs - b.endMs)
    for (let i = 0; i < pending.length; i += 512) {
      const text = `${batchOf(pending.slice(i, i + 512))}\n`
      bytes += text.length
      if (!out.write(text)) await once(out, 'drain')
    }
    written += pending.length
    pending = []
  }
  for (let i = 0; i < requests; i++) {
    addRequest(pending, 1_750_000_000_000 + i * 100, random)
    if (pending.length > 20_000) await flush()
  }
  await flush()
  out.end()
  await once(out, 'finish')
  return { spans: written, bytes }
}

interface Made {
  service: string
  trace: string
  id: string
  parent: string
  name: string
  kind: number
  startMs: number
  endMs: number
  attributes: [string, string | boolean | number][]
}

function addRequest(spans: Made[], arrivalMs: number, random: () => number): void {
  const hex = (digits: number) =>
    Array.from({ length: digits / 8 }, () =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('')
  const trace = hex(32)
  const vary = (ms: number) => ms * (0.7 + 0.3 * random() - 0.4 * Math.log(1 - 0.9 * random()))
  /** @returns end of the function */
  const run = ({ calls = [], task, workMs }: MadeTask, startMs: number, parent: string): number => {
    const id = hex(16)
    const work = vary(workMs) / (calls.length + 1)
    let at = startMs + work
    let began = at
    for (const called of calls) {
      const from = called.beside ? began + 0.1 : at
      began = from
      const callId = hex(16)
      const cold = random() < 0.01
      const handOver = vary(cold ? 400 : 14)
      const end = run(called, from + handOver, callId)
      const to = called.mode === 'send' ? from + handOver * 0.9 : end + vary(9)
      spans.push({
        service: task,
        trace,
        id: callId,
        parent: id,
        name: `Invoke ${called.task}`,
        kind: 3,
        startMs: from,
        endMs: to,
        attributes: [
          ['rpc.system', 'aws-api'],
          ['rpc.service', 'Lambda'],
          ['faas.invoked_name', called.task],
          ['faas.invoked_provider', 'aws'],
        ],
      })
      at = Math.max(at, to)
    }
    at += work
    spans.push({
      service: task,
      trace,
      id,
      parent,
      name: task,
      kind: 2,
      startMs,
      endMs: at,
      attributes: [
        ['faas.invocation_id', hex(32)],
        ['faas.coldstart', random() < 0.01],
        ['http.request.body.size', Math.round(vary(900))],
      ],
    })
    return at
  }
  run(shop, arrivalMs, '')
}

function batchOf(spans: readonly Made[]): string {
  const byService = new Map<string, Made[]>()
  for (const span of spans) byService.set(span.service, [...(byService.get(span.service) ?? []), span])
  const nano = (ms: number) => `${Math.round(ms * 1000)}000`
  const anyValue = (value: string | boolean | number) =>
    typeof value === 'string'
      ? { stringValue: value }
      : typeof value === 'boolean'
        ? { boolValue: value }
        : { intValue: String(value) }
  const attributesOf = (list: Made['attributes']) => list.map(([key, value]) => ({ key, value: anyValue(value) }))
  return JSON.stringify({
    resourceSpans: [...byService].map(([service, own]) => ({
      resource: {
        attributes: attributesOf([
          ['service.name', service],
          ['faas.name', service],
          ['faas.max_memory', 512 * 2 ** 20],
          ['cloud.provider', 'aws'],
          ['cloud.platform', 'aws_lambda'],
        ]),
      },
      scopeSpans: [
        {
          scope: { name: '@opentelemetry/instrumentation-aws-lambda', version: '0.50.0' },
          spans: own.map((span) => ({
            traceId: span.trace,
            spanId: span.id,
            ...(span.parent !== '' && { parentSpanId: span.parent }),
            name: span.name,
            kind: span.kind,
            startTimeUnixNano: nano(span.startMs),
            endTimeUnixNano: nano(span.endMs),
            attributes: attributesOf(span.attributes),
            status: {},
          })),
        },
      ],
    })),
  })
}
