import { Readable } from 'node:stream'
import { addRequest, type Characteristics, emptyCharacteristics } from '@fusionize/planner'
import { formatRecord, type InvocationRecord, RECORD_VERSION, type Span, spanId } from 'fusionize/record'
import pc from 'picocolors'
import { expect, test } from 'vitest'
import { characteristicsDocument } from './characteristics.js'
import { characteristicsPage } from './characteristics-page.js'
import { characteristicsText } from './characteristics-text.js'
import { type Reading, readTraces } from './read-files.js'
import { skippedLines } from './reading-text.js'

/** One invocation of a request that is told in every format: ms since its arrival. */
interface Told {
  task: string
  at: [startMs: number, endMs: number]
  call?: [startMs: number, endMs: number]
  cold?: boolean
  bytes?: [bytesIn: number, bytesOut: number]
}

const ARRIVAL = 1_763_719_200_000
const MEMORY_MB = 1024

/**
 * Request i: `order` calls `check`, then three `pack`s beside each other, the slowest 1.5 times the middle one, all longer in request 2 than in request 1 and
 * so on. Every fourth request starts two sandboxes, and every other one has only two packs.
 */
function request(i: number): Told[] {
  const unit = 10 * (i + 2)
  const packs = [1, 2, 3].slice(i % 2).map((k) => (k + 1) * unit)
  const end = 32 + Math.max(...packs) + 2
  return [
    { task: 'order', at: [0, end + 8], cold: i % 4 === 0, bytes: [0, 0] },
    { task: 'check', at: [12, 18], call: [10, 20], cold: i % 4 === 0, bytes: [300, 200] },
    ...packs.map((ms, k): Told => ({ task: 'pack', at: [32, 32 + ms], call: [30, 34 + ms], bytes: [1000 + k, 24] })),
  ]
}

const requests = Array.from({ length: 40 }, (_, i) => request(i))
const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0')
const traceOf = (i: number) => hex(i + 1, 32)

function asRecords(): string[] {
  return requests.flatMap((told, i) => {
    const root = (k: number) => `${hex(1000 * (i + 1) + k, 8)}00000000`
    return told.map(({ at: [start, end], bytes: [bytesIn, bytesOut] = [0, 0], cold, task }, k) => {
      const own: Span = {
        parent: -1,
        task,
        mode: 'call',
        route: 'inline',
        start: 0,
        end: end - start,
        bytesIn,
        bytesOut,
      }
      const waits =
        k > 0
          ? []
          : told.slice(1).map(
              ({ bytes = [0, 0], call = [0, 0], task: to }): Span => ({
                ...{ parent: 0, task: to, mode: 'call', route: 'remote', start: call[0], end: call[1] },
                ...{ bytesIn: bytes[0], bytesOut: bytes[1] },
              }),
            )
      const record: InvocationRecord = {
        ...{ v: RECORD_VERSION, app: 'shop', setup: 's', function: task, task, sandbox: `${task}${k}` },
        ...{ invocation: `${i} ${k}`, session: `${i}`, trace: traceOf(i), span: root(k), mode: 'call', attempt: 1 },
        ...{ parent: k === 0 ? null : spanId(root(0), k), cold: cold ? 100 : null, start: ARRIVAL + 1000 * i + start },
        ...{ reply: end - start, wall: end - start, peakMb: 60, memory: MEMORY_MB, concurrent: 1 },
        spans: [own, ...waits],
      }
      return formatRecord(record)
    })
  })
}

function asOtlp(): string[] {
  const nano = (i: number, ms: number) => `${ARRIVAL + 1000 * i + ms}000000`
  return requests.map((told, i) => {
    const id = (k: number) => hex(100 * (i + 1) + k, 16)
    const size = (bytes: readonly number[]) => [
      { key: 'http.request.body.size', value: { intValue: String(bytes[0]) } },
      { key: 'http.response.body.size', value: { intValue: String(bytes[1]) } },
    ]
    const resourceSpans = told.map(({ at, bytes = [0, 0], call, cold = false, task }, k) => ({
      resource: {
        attributes: [
          { key: 'faas.name', value: { stringValue: task } },
          { key: 'faas.max_memory', value: { intValue: String(MEMORY_MB * 2 ** 20) } },
        ],
      },
      scopeSpans: [
        {
          spans: [
            {
              ...{ traceId: traceOf(i), spanId: id(2 * k), name: task, kind: 2 },
              ...{ startTimeUnixNano: nano(i, at[0]), endTimeUnixNano: nano(i, at[1]) },
              ...(call && { parentSpanId: id(2 * k + 1) }),
              attributes: [{ key: 'faas.coldstart', value: { boolValue: cold } }, ...size(bytes)],
            },
          ],
        },
      ],
    }))
    const waits = told.flatMap(({ call, task }, k) =>
      call
        ? [
            {
              ...{ traceId: traceOf(i), spanId: id(2 * k + 1), parentSpanId: id(0), name: 'Invoke', kind: 3 },
              ...{ startTimeUnixNano: nano(i, call[0]), endTimeUnixNano: nano(i, call[1]) },
              attributes: [{ key: 'faas.invoked_name', value: { stringValue: task } }],
            },
          ]
        : [],
    )
    resourceSpans[0]?.scopeSpans.push({ spans: waits as never })
    return JSON.stringify({ resourceSpans })
  })
}

function asXRay(): string[] {
  const second = (i: number, ms: number) => (ARRIVAL + 1000 * i + ms) / 1000
  return requests.flatMap((told, i) => {
    const id = (k: number) => hex(100 * (i + 1) + k, 16)
    return told.map(({ at, call, cold, task }, k) => {
      const waits =
        k > 0
          ? []
          : told.slice(1).map(({ call: wait = [0, 0], task: to }, n) => ({
              ...{ id: id(10 * (n + 1) + 1), name: 'Lambda', namespace: 'aws' },
              ...{ start_time: second(i, wait[0]), end_time: second(i, wait[1]) },
              aws: { operation: 'Invoke', function_name: to },
            }))
      const phase = (name: string, n: number, start: number, end: number, subsegments: unknown[] = []) => ({
        ...{ id: id(10 * k + n), name, start_time: second(i, start), end_time: second(i, end), subsegments },
      })
      return JSON.stringify({
        ...{ id: id(10 * k), name: task, trace_id: `1-${traceOf(i).slice(0, 8)}-${traceOf(i).slice(8)}` },
        ...{ start_time: second(i, cold ? at[0] - 100 : at[0]), end_time: second(i, at[1]) },
        ...{ origin: 'AWS::Lambda::Function', ...(call && { parent_id: id(10 * k + 1) }) },
        subsegments: [
          ...(cold ? [phase('Initialization', 2, at[0] - 100, at[0])] : []),
          phase('Invocation', 3, at[0], at[1], waits),
        ],
      })
    })
  })
}

async function characterize(lines: readonly string[]): Promise<{ seen: Characteristics; reading: Reading }> {
  const seen = emptyCharacteristics()
  const stdin = Readable.from([Buffer.from(lines.join('\n'))])
  const reading = await readTraces(['-'], (trace) => addRequest(seen, trace), { stdin })
  return { seen, reading }
}

const formats = { records: asRecords, otlp: asOtlp, 'x-ray': asXRay }
const measure = (seen: Characteristics, name: string) =>
  characteristicsDocument(seen).measures.find((one) => one.name === name)
const shareOf = (seen: Characteristics, name: string, value: number) =>
  measure(seen, name)?.cdf.findLast((point) => point.value <= value)?.share

test.each(Object.keys(formats) as (keyof typeof formats)[])(
  'of %s every distribution is there, and what the requests were made to be',
  async (format) => {
    const { reading, seen } = await characterize(formats[format]())
    expect(skippedLines(reading)).toEqual([])
    expect(seen).toMatchObject({ requests: 40, incomplete: 0 })
    expect(shareOf(seen, 'width', 2)).toBe(0.5)
    expect(shareOf(seen, 'width', 3)).toBe(1)
    // order, check, then the packs.
    expect(measure(seen, 'depth')?.cdf).toEqual([{ value: 3, share: 1 }])
    expect(shareOf(seen, 'nodes', 4)).toBe(0.5)
    expect(shareOf(seen, 'nodes', 5)).toBe(1)
    // Of 2, 3 and 4 units the slowest is 4/3 of the middle one, of 3 and 4 it is 4/3.5.
    expect(measure(seen, 'skew')).toMatchObject({
      n: 40,
      p50: expect.closeTo(4 / 3.5, 1),
      max: expect.closeTo(4 / 3, 3),
    })
    // Every fourth request has two start-ups.
    expect(shareOf(seen, 'start-ups', 0)).toBe(0.75)
    expect(measure(seen, 'start-ups')).toMatchObject({ n: 40, max: 2 })
    if (format !== 'otlp') expect(measure(seen, 'start-up time')).toMatchObject({ n: 20, max: expect.closeTo(100, 3) })
    // Times of packs grow with the request's number: they go together, and not wholly.
    const [stage] = characteristicsDocument(seen).stages
    expect(stage).toMatchObject({ from: 'order', to: 'pack', requests: 40 })
    expect(stage?.correlation).toBeGreaterThan(0.5)
    expect(stage?.correlation).toBeLessThan(0.99)
    expect(measure(seen, 'worker correlation')).toMatchObject({ n: 1, p50: stage?.correlation, unit: 'ρ' })
    const billed = requests.map((told) => told.reduce((sum, { at: [start, end] }) => sum + end - start, 0))
    const double = requests.map((told) => 10 + Math.max(...told.slice(2).map(({ call = [0, 0] }) => call[1])) - 30)
    const total = (list: number[]) => list.reduce((a, b) => a + b, 0)
    expect(characteristicsDocument(seen).doubleBilling.share).toBeCloseTo(total(double) / total(billed), 6)
    const shares = double.map((ms, i) => ms / (billed[i] as number)).sort((a, b) => a - b)
    expect(measure(seen, 'double billing')?.p50).toBeCloseTo(shares[19] as number, 2)
    if (format === 'x-ray') expect(characteristicsDocument(seen).untold).toEqual(['payload'])
    else {
      // Of the request itself, of its check, and of 2 or 3 packs.
      expect(measure(seen, 'payload')?.n).toBe(180)
      expect(shareOf(seen, 'payload', 0)).toBeCloseTo(40 / 180, 6)
      expect(shareOf(seen, 'payload', 520)).toBeCloseTo(80 / 180, 6)
      expect(measure(seen, 'payload')?.max).toBe(1026)
    }
    const words = characteristicsText(seen, pc.createColors(false))
    for (const name of ['width', 'depth', 'nodes', 'skew', 'start-ups', 'double billing', 'worker correlation'])
      expect(words).toMatch(new RegExp(`^${name} +\\d`, 'm'))
    expect(characteristicsPage(seen, reading)).not.toMatch(/NaN|undefined|Infinity/)
  },
)

test.each(Object.keys(formats) as (keyof typeof formats)[])(
  'of broken %s the rest is read, and each loss is told with its line',
  async (format) => {
    const lines = formats[format]()
    const broken = [...lines.slice(0, 20), '{"half": ', ...lines.slice(20), 'no JSON at all', '{"level":"info"}']
    const { reading, seen } = await characterize(broken)
    expect(seen.requests).toBe(40)
    expect(reading.skipped).toBe(3)
    const words = skippedLines(reading).join('\n')
    expect(words).toMatch(/stdin:21: /)
    expect(words).toMatch(new RegExp(`stdin:${lines.length + 2}: not JSON`))
    expect(words).toMatch(new RegExp(`stdin:${lines.length + 3}: no known format \\(fields level\\)`))
    const { seen: whole } = await characterize(lines)
    expect(characteristicsDocument(seen)).toEqual(characteristicsDocument(whole))
  },
)

test('a request whose callee is lost counts as incomplete, and what is not told is named', async () => {
  const lines = asRecords().filter((line) => !line.includes('"invocation":"0 1"'))
  const { seen } = await characterize(lines)
  expect(seen).toMatchObject({ requests: 40, incomplete: 1 })
  const { seen: alone } = await characterize([asOtlp()[0]?.replaceAll('faas.coldstart', 'other') ?? ''])
  expect(characteristicsDocument(alone).untold).toEqual(
    ['start-ups', 'start-up time', 'worker correlation'].slice(0, 2),
  )
})
