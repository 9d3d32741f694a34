import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { addRequest, createAdvisor, emptyCharacteristics, type RequestTrace } from '@fusionize/planner'
import pc from 'picocolors'
import { expect, onTestFinished, test } from 'vitest'
import { adviceDocument } from './advice-document.js'
import { advicePage } from './advice-page.js'
import { adviceText } from './advice-text.js'
import { characteristicsPage } from './characteristics-page.js'
import { characteristicsText } from './characteristics-text.js'
import { lambdaFacts } from './facts.js'
import { type Reading, readTraces } from './read-files.js'
import { skippedLines } from './reading-text.js'

const plain = pc.createColors(false)
const hostile = `<script>alert("1")</script> & 'x'`

/** One OTLP line: a function that calls another one. */
function line(i: number, { caller = 'order', memory = 512, error = '' } = {}): string {
  const id = (n: number) => (i * 10 + n).toString(16).padStart(16, '0')
  const nano = (ms: number) => `${1763719200000 + i * 1000 + ms}000000`
  const resource = (name: string) => ({
    attributes: [
      { key: 'faas.name', value: { stringValue: name } },
      { key: 'faas.max_memory', value: { intValue: String(memory * 2 ** 20) } },
    ],
  })
  const traceId = i.toString(16).padStart(32, '0')
  const late = (i % 7) + 60
  return JSON.stringify({
    resourceSpans: [
      {
        resource: resource(caller),
        scopeSpans: [
          {
            spans: [
              {
                traceId,
                spanId: id(1),
                name: caller,
                kind: 2,
                startTimeUnixNano: nano(0),
                endTimeUnixNano: nano(late + 40),
              },
              {
                traceId,
                spanId: id(2),
                parentSpanId: id(1),
                name: 'Invoke',
                kind: 3,
                startTimeUnixNano: nano(10),
                endTimeUnixNano: nano(late + 30),
                attributes: [{ key: 'faas.invoked_name', value: { stringValue: 'stock' } }],
              },
            ],
          },
        ],
      },
      {
        resource: resource('stock'),
        scopeSpans: [
          {
            spans: [
              {
                traceId,
                spanId: id(3),
                parentSpanId: id(2),
                name: 'stock',
                kind: 2,
                startTimeUnixNano: nano(25),
                endTimeUnixNano: nano(late + 10),
                ...(error && { status: { code: 2, message: error } }),
              },
            ],
          },
        ],
      },
    ],
  })
}

async function folder(files: Record<string, string | Uint8Array>): Promise<(name: string) => string> {
  const dir = await mkdtemp(join(tmpdir(), 'fusionize-traces-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content)
  return (name) => join(dir, name)
}

async function read(files: string[], stdin?: Readable): Promise<{ traces: RequestTrace[]; reading: Reading }> {
  const traces: RequestTrace[] = []
  const reading = await readTraces(files, (trace) => traces.push(trace), stdin ? { stdin } : {})
  return { traces, reading }
}

const text = Array.from({ length: 40 }, (_, i) => line(i + 1)).join('\n')

test('files, gzipped files and stdin are read alike', async () => {
  const at = await folder({ 'a.jsonl': text, 'a.jsonl.gz': gzipSync(text) })
  const one = await read([at('a.jsonl')])
  expect(one.traces).toHaveLength(40)
  expect((await read([at('a.jsonl.gz')])).traces).toEqual(one.traces)
  const slow = Readable.from([...gzipSync(text)].map((byte) => Uint8Array.of(byte)))
  expect((await read(['-'], slow)).traces).toEqual(one.traces)
  expect((await read(['-'], Readable.from([Buffer.from(text)]))).reading.files[0]?.file).toBe('stdin')
  const [half, rest] = [text.slice(0, text.length / 2), text.slice(text.length / 2)].map((part) => Buffer.from(part))
  const both = Readable.from([Buffer.concat([gzipSync(half as Buffer), gzipSync(rest as Buffer)])])
  expect((await read(['-'], both)).traces).toEqual(one.traces)
})

test('of damaged gzip what came before counts, and the damage is told', async () => {
  const packed = gzipSync(Array.from({ length: 4000 }, (_, i) => line(i + 1)).join('\n'))
  const at = await folder({
    'cut.gz': packed.subarray(0, packed.length / 2),
    'bad.gz': Uint8Array.of(0x1f, 0x8b, 1, 2, 3),
    empty: '',
  })
  const { reading, traces } = await read([at('cut.gz'), at('bad.gz'), at('empty')])
  expect(traces.length).toBeGreaterThan(500)
  expect(traces.length).toBeLessThan(4000)
  const words = skippedLines(reading).join('\n')
  expect(words).toMatch(/cut\.gz:\d+: the gzip data is damaged or breaks off/)
  expect(words).toMatch(/bad\.gz.*: the gzip data is damaged/)
})

test('other packers are named, and the other files are read', async () => {
  const at = await folder({ 'a.zst': Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 10, 10), 'b.jsonl': text })
  const { reading, traces } = await read([at('a.zst'), at('b.jsonl')])
  expect(traces).toHaveLength(40)
  expect(reading.firstSkipped.map(({ why }) => why)).toEqual([
    'it is packed with zstd; unpack it first, to stdin for instance',
  ])
})

test('a file that does not exist, and a folder, are mistakes of the command line', async () => {
  const at = await folder({})
  await expect(read([at('nowhere')])).rejects.toThrow(/there is no file/)
  await expect(read([at('.')])).rejects.toThrow(/is a folder; give the files in it/)
})

async function hostileAdvice() {
  const lines = Array.from({ length: 30 }, (_, i) => line(i + 1, { caller: hostile, error: hostile }))
  const { reading, traces } = await read(
    ['-'],
    Readable.from([Buffer.from([...lines, hostile, `{"${hostile.replaceAll('"', '\\"')}":1}`].join('\n'))]),
  )
  reading.files[0] = { ...(reading.files[0] as Reading['files'][number]), file: hostile }
  const facts = lambdaFacts('x86')
  const advisor = createAdvisor({ facts })
  const seen = emptyCharacteristics()
  for (const trace of traces) {
    advisor.add(trace)
    addRequest(seen, trace)
  }
  return { advice: advisor.advice(), seen, context: { facts, input: reading, assumedMemoryMb: undefined } }
}

test('pages show what traces say as text, load nothing, close every tag, and have no NaN', async () => {
  const { advice, context, seen } = await hostileAdvice()
  for (const page of [advicePage(advice, context), characteristicsPage(seen, context.input)]) {
    expect(page).not.toContain('<script')
    expect(page).toContain('&#60;script&#62;')
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|src=|href=|@import|<link/)
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
    const open: string[] = []
    for (const [, slash, name, selfClosing] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
      if (slash) expect(open.pop()).toBe(name)
      else if (!selfClosing && name !== 'meta') open.push(name as string)
    }
    expect(open).toEqual([])
  }
})

test('the text says double billing, fusion, cost and what is not known', async () => {
  const { advice, context, seen } = await hostileAdvice()
  const words = adviceText(advice, context, plain)
  expect(words).toMatch(/Double billing: .*% \[.*\] of all billed GB·s/)
  expect(words).toContain(`Fused: (${hostile},stock)`)
  expect(words).toMatch(/→ stock.*fuse/)
  expect(words).toMatch(/What these traces cannot tell/)
  expect(words).toMatch(/AWS Lambda x86/)
  expect(words).not.toMatch(/NaN|undefined|Infinity/)
  expect(characteristicsText(seen, plain)).toMatch(/nodes +30 +2 +2 +2 +2 /)
})

test('the document is JSON of numbers and null', async () => {
  const { advice, context } = await hostileAdvice()
  const document = JSON.parse(JSON.stringify(adviceDocument(advice, context)))
  expect(document).toMatchObject({
    requests: 30,
    notation: `(${hostile},stock)`,
    prices: { name: 'AWS Lambda x86', perGbSecond: 0.0000166667 },
    input: { traces: 30, skipped: 2 },
    edges: [{ verdict: 'fuse', mode: 'call' }],
  })
  expect(document.characteristics.measures.map(({ name }: { name: string }) => name)).toContain('double billing')
})
