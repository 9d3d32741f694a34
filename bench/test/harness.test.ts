import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InvocationRecord } from 'fusionize/record'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { benches } from '../dist/benches.js'
import { type Bench, type Case, formatResult, runBench, type Setting } from '../dist/harness.js'
import { highestRate } from '../dist/lib/highest-rate.js'
import { crossings } from '../dist/lib/read-records.js'
import { startUpsOf } from '../dist/load/start-ups.js'
import { pairwise, quantile } from '../dist/quantile.js'
import { readSetups } from '../dist/replay/traces.js'
import { writeTraces } from './foreign-traces.js'
import { chain } from './records.js'

const setting: Setting = {
  role: 'ours',
  isolation: 'thread',
  transport: 'none',
  durability: 'none',
  records: 'on',
  wait: 'park',
}

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const bench = (run: Bench['run']): Bench => ({
  method: 'counts to ten',
  unit: 'us',
  yardstick: 'slow',
  cases: { slow: { ...setting, role: 'yardstick' }, fast: setting },
  run,
})

async function load(name: string): Promise<Bench> {
  const found = benches[name]
  if (!found) throw new Error(`no bench ${name}`)
  return (await found()).default
}

function casesOf({ cases }: Bench, options: Record<string, string> = {}): Record<string, Case> {
  return typeof cases === 'function' ? cases(options) : cases
}

describe('the harness', () => {
  it('makes a row of each case, with quantiles by linear interpolation', async () => {
    const result = await runBench(
      'ten',
      bench(async ({ sample, more, finding }) => {
        for (let i = 10; i >= 1; i--) sample('slow', i)
        sample('fast', 2)
        more('fast', { bytes: 7 })
        more('fast', { calls: 1 })
        finding('it counts')
      }),
      {},
    )
    expect(result.rows).toMatchObject([
      { case: 'slow', role: 'yardstick', n: 10, p50: 5.5, p95: expect.closeTo(9.55), p99: 9.91, unit: 'us' },
      { case: 'fast', role: 'ours', n: 1, p50: 2, more: { bytes: 7, calls: 1 } },
    ])
    expect(result).toMatchObject({ name: 'ten', method: 'counts to ten', findings: ['it counts'] })
    const text = formatResult(result, { yardstick: 'slow' })
    expect(text).toContain('0.36×')
    expect(text).toContain('fast: {"bytes":7,"calls":1}')
    expect(formatResult(result, { moreIsInFindings: true })).not.toContain('bytes')
  })

  it('writes every sample in the order in which it came', async () => {
    const raw = join(dir, 'raw.ndjson')
    await runBench(
      'two',
      bench(async ({ sample }) => {
        sample('fast', 2)
        sample('slow', 1)
      }),
      {},
      raw,
    )
    expect(readFileSync(raw, 'utf8')).toBe('{"case":"fast","value":2}\n{"case":"slow","value":1}\n')
  })

  it('has several rows with one id where settings differ, and tells their samples apart', async () => {
    const raw = join(dir, 'raw.ndjson')
    const result = await runBench(
      'pair',
      {
        ...bench(async ({ sample }) => {
          sample('a none', 1)
          sample('a journal', 2)
        }),
        cases: {
          'a none': { ...setting, case: 'a' },
          'a journal': { ...setting, case: 'a', durability: 'journal' },
        },
      },
      {},
      raw,
    )
    expect(result.rows).toMatchObject([
      { case: 'a', durability: 'none', p50: 1 },
      { case: 'a', durability: 'journal', p50: 2 },
    ])
    expect(readFileSync(raw, 'utf8')).toBe(
      '{"case":"a","durability":"none","value":1}\n{"case":"a","durability":"journal","value":2}\n',
    )
  })

  it('refuses a sample of a case that the bench does not have', async () => {
    const run = runBench(
      'odd',
      bench(async ({ sample }) => sample('other', 1)),
      {},
    )
    await expect(run).rejects.toThrow("bench odd has no case 'other'")
  })

  it('takes quantiles between samples and differences pair by pair', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5)
    expect(quantile([], 0.5)).toBeNaN()
    expect(pairwise([3, 5, 9], [1, 4, 1])).toBe(2)
  })
})

describe('the benches', () => {
  const loads = ['iot', 'tree'].flatMap((app) =>
    ['remote', 'all-fused', 'published', 'closure', 'plan'].map((strategy) => `${app}-${strategy}`),
  )
  /** Without and with a journal. */
  const twice = (ids: string[]) => ids.flatMap((id) => [id, id])
  const bySize = (sizes: number[]) =>
    twice(sizes.flatMap((n) => ['fused', 'threads', 'processes'].map((where) => `${where}-${n}`)))
  const promised: Record<string, string[]> = {
    'inline-call': ['bare-await', 'inline', 'inline-1kb'],
    startup: ['bare-sandbox', 'fusionize-sandbox', 'added'],
    hop: ['call-threads', 'call-processes', 'message-port', 'fastify-processes'],
    send: ['threads-none', 'threads-journal', 'processes-journal'],
    trigger: [...twice(['same-sandbox', 'thread-busy', 'thread-idle', 'process']), 'message-port'],
    chain: bySize([1, 10, 100, 1000]),
    payload: twice(['10B', '100B', '1KB', '10KB', '100KB', '1MB', '10MB', '100MB'].map((size) => `threads-${size}`)),
    map: ['compute', 'wait'].flatMap((kind) =>
      ['inline-loop', 'inline-threads', 'inline-processes', 'inline', 'remote-1', 'remote-4', 'remote-16'].map(
        (where) => `${kind}-${where}`,
      ),
    ),
    'fan-out': bySize([2, 8, 32, 128, 512, 1024, 4000]),
    faults: twice(['function-level', 'session-level']),
    'ad-events': twice(['threads', 'processes']),
    sort: [...twice(['threads', 'processes']), 'sort'],
    gateway: ['fusionize', 'bare-hono'],
    throughput: twice(['threads-1', 'threads-1-spin', 'threads-128', 'processes-128']),
    cold: loads,
    burst: loads,
    webshop: ['remote', 'all-fused', 'published', 'closure', 'plan'].flatMap((setup) => [
      setup,
      ...['add', 'home', 'checkout'].map((action) => `${setup}-${action}`),
    ]),
    advise: ['advise'],
    plan: ['slo', 'budget', 'front'],
    planner: ['exact-10', 'bounded-100'],
    convergence: ['iot', 'tree', 'webshop', 'simulated'].flatMap((where) =>
      ['plan', 'closure', 'published'].map((strategy) => `${strategy}-${where}`),
    ),
    replications: ['budget', 'p95'],
    wisefuse: ['video-analytics', 'approximate-svd', 'ml-pipeline'].flatMap((app) =>
      [
        'remote',
        'all-fused',
        'photons',
        'photons-best',
        'faastlane',
        'faastlane-1',
        'sonic',
        'orion',
        'wisefuse',
        'plan',
      ].map((strategy) => `${app}-${strategy}`),
    ),
    simulator: [
      'simulator',
      ...['remote', 'all-fused'].flatMap((setup) =>
        [10, 30, 40].flatMap((rate) => [`iot-${setup}-${rate}-simulated`, `iot-${setup}-${rate}-local`]),
      ),
    ],
  }
  /** Their cases are those of the folder that they are given. */
  const foreign = ['emulation', 'prediction', 'sizing']
  const units: Record<string, string> = {
    'inline-call': 'ns',
    hop: 'us',
    send: 'us',
    trigger: 'us',
    payload: 'us',
    'ad-events': 'events/s',
    sort: 'MB/s',
    gateway: 'requests/s',
    throughput: 'requests/s',
    advise: 's',
    plan: 's',
    planner: 's',
    convergence: 'deployments',
    replications: 'measured / bound',
  }

  it.each(Object.keys(promised))('%s has exactly the cases that were promised, in their unit', async (name) => {
    const found = await load(name)
    expect(Object.entries(casesOf(found)).map(([id, { case: shared = id }]) => shared)).toEqual(promised[name])
    expect(found.unit).toBe(units[name] ?? 'ms')
    expect(found.method.length).toBeGreaterThan(100)
  })

  it.each(['throughput', 'chain', 'fan-out'])('%s has every case without and with a journal', async (name) => {
    const cases = casesOf(await load(name))
    const pairs = Object.values(cases).map(({ case: id, durability }) => `${id} ${durability}`)
    expect(pairs).toEqual(Object.keys(cases))
    expect(pairs.filter((pair) => pair.endsWith(' journal'))).toHaveLength(pairs.length / 2)
  })

  it('emulation has a case for every setup with traces', async () => {
    writeTraces(dir)
    const found = await load('emulation')
    expect(Object.keys(casesOf(found, { traces: dir }))).toEqual(['made-up/a'])
    expect(() => casesOf(found)).toThrow('--traces')
  })

  it('are no others', () => {
    expect(Object.keys(benches).sort()).toEqual([...Object.keys(promised), ...foreign].sort())
  })
})

test('crossings are the invocations in another sandbox than the one that started them', () => {
  const record = (span: string, parent: string | null, sandbox: string) =>
    ({
      span: span.padEnd(16, '0'),
      parent: parent?.padEnd(8, '0').padEnd(16, '3') ?? null,
      sandbox,
    }) as InvocationRecord
  const records = [record('a', null, 's'), record('b', 'a', 's'), record('c', 'b', 't'), record('d', 'c', 't')]
  expect(crossings(records)).toBe(1)
})

describe('the highest rate', () => {
  const tries: string[] = []
  const upTo = (most: number, longMost = most) => {
    tries.length = 0
    return async (rate: number, long: boolean) => {
      tries.push(`${rate}${long ? ' long' : ''}`)
      return { held: rate <= (long ? longMost : most), rate }
    }
  }

  it('is found by doubling and halving, and then held for the long time', async () => {
    expect(await highestRate(upTo(330), { from: 100, steps: 3 })).toMatchObject({ rate: 325, found: { rate: 325 } })
    expect(tries).toEqual(['100', '200', '400', '300', '350', '325', '325 long'])
  })

  it('is lowered until it is held for the long time', async () => {
    expect(await highestRate(upTo(200, 170), { from: 100, steps: 1 })).toMatchObject({ rate: 162 })
    expect(tries.filter((text) => text.endsWith('long'))).toEqual(['200 long', '180 long', '162 long'])
  })

  it('is none when the lowest is not held', async () => {
    expect(await highestRate(upTo(50), { from: 100, steps: 3 })).toBeUndefined()
  })
})

describe('foreign traces', () => {
  it('become requests of tasks with times of their own', () => {
    writeTraces(dir)
    const [setup, ...others] = readSetups(dir)
    expect(others).toEqual([])
    expect(setup).toMatchObject({
      id: 'made-up/a',
      cold: false,
      aws: { p50Ms: 260, costUsd: 3e-6, coldShare: 0.1 },
      memoryMb: { 'analyze-sensor': 128, 'check-temperature': 768 },
      inline: { 'analyze-sensor': { call: ['check-sensor'], send: [] }, 'check-air': { call: [], send: [] } },
    })
    expect(setup?.requests.map(({ startMs, awaited }) => ({ startMs, awaited }))).toEqual([
      { startMs: 0, awaited: false },
      { startMs: 200, awaited: false },
    ])
    expect(setup?.requests[0]?.own).toEqual({
      // 260 − 5 − 120 − the longest of three sends
      'analyze-sensor': [25],
      'check-sensor': [5],
      'store-event': [40],
      'check-temperature': [30],
      // 200 − the longer of two calls at the same time
      'check-sound': [10],
      'check-sound-level': [60],
      'check-accident': [70],
      'check-air': [10],
      'detect-jam': [60],
      // The handler's overhead of 3 ms on each of the two runs.
      'action-signage': [51, 58],
    })
  })

  it('give a request whose record was lost the time of another', () => {
    writeTraces(dir)
    expect(readSetups(dir)[0]?.requests[1]?.own['store-event']).toEqual([40])
  })

  it('are asked for by name when they are not there', () => {
    expect(() => readSetups(join(dir, 'nowhere'))).toThrow('--traces')
  })
})

describe('start-ups on the critical path', () => {
  it('are those that the reply waited for', () => {
    const records = chain([
      {
        id: 'root',
        cold: 10,
        calls: [
          { to: 'slow', start: 0, end: 80 },
          { to: 'quick', start: 0, end: 30 },
        ],
      },
      { id: 'slow', cold: 40 },
      { id: 'quick', cold: 20 },
    ])
    expect(startUpsOf(records, 1)).toEqual({
      invocations: { natural: 1, forced: 0, prewarmed: 0 },
      requests: 1,
      criticalMs: 50,
    })
  })

  it('add up along calls one after the other, and leave out sends and what came after the reply', () => {
    const records = chain([
      {
        id: 'root',
        cold: null,
        calls: [
          { to: 'first', start: 0, end: 30 },
          { to: 'second', start: 30, end: 60 },
          { to: 'sent', start: 60, end: 70, mode: 'send' },
          { to: 'late', start: 110, end: 120 },
        ],
      },
      { id: 'first', cold: 5 },
      { id: 'second', cold: 7 },
      { id: 'sent', cold: 100, mode: 'send' },
      { id: 'late', cold: 100 },
    ])
    expect(startUpsOf(records, 2)).toMatchObject({ requests: 0.5, criticalMs: 6 })
  })
})
