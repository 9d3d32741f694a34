import { type Advice, type AdviceOptions, createAdvisor, type RequestTrace, seededRandom } from '@fusionize/planner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkAdvice } from './advise-world.js'
import { worlds } from './arbitrary-worlds.js'
import { type Short, traceOf } from './trace.js'
import { awsLike, iotWorld } from './world.js'

function advise(traces: readonly RequestTrace[], options: Partial<AdviceOptions> = {}): Advice {
  const advisor = createAdvisor({ facts: awsLike, cpu: 'even', ...options })
  for (const trace of traces) advisor.add(trace)
  return advisor.advice()
}

const edge = ({ edges }: Advice, name: string) => edges.find(({ from, to }) => `${from}>${to}` === name)

test('of iot everything remote, it finds the published fusion and says what that measures', () => {
  for (const memory of [128, 768]) {
    const { advice, fused, now } = checkAdvice(iotWorld(), memory, { requests: 40, everyMs: 2000, noise: 0.2 })
    expect(advice.notation).toBe(
      '(analyze-sensor,check-sensor,store-event)-(check-temperature)-(check-sound,check-sound-level,check-accident)-(check-air,detect-jam)-(action-signage)',
    )
    const [entry] = advice.entries
    expect(entry?.now.p50Ms.value).toBeCloseTo(now.p50Ms.value, 2)
    expect(Math.abs((entry?.fused.p50Ms.value ?? 0) / fused.p50Ms.value - 1)).toBeLessThan(0.01)
    expect(Math.abs((entry?.fused.p95Ms.value ?? 0) / fused.p95Ms.value - 1)).toBeLessThan(0.02)
    const cost = (measured: typeof now) => measured.costPerMillionUsd?.value ?? 0
    expect(advice.total.nowPerMillionUsd?.value).toBeCloseTo(cost(now), 4)
    expect(Math.abs((advice.total.fusedPerMillionUsd?.value ?? 0) / cost(fused) - 1)).toBeLessThan(0.01)
    expect(advice.doubleBilling.share.value).toBeCloseTo(now.doubleBillingShare, 4)
    expect(entry?.fused.doubleBillingShare).toBeCloseTo(fused.doubleBillingShare, 2)
  }
})

test('whatever the application, what was advised measures as was said and makes nothing worse', () => {
  fc.assert(
    fc.property(worlds, fc.constantFrom(128, 512, 1769), (world, memory) => {
      const { advice, fused, now } = checkAdvice(world, memory, { requests: 30, everyMs: 10_000, noise: 0.1 })
      const [entry] = advice.entries
      const cost = (measured: typeof now) => measured.costPerMillionUsd?.value ?? 0
      // Other requests are run than were seen: 1% is chance.
      const holds = (interval: { low: number; high: number } | null | undefined, value: number) => {
        expect(value).toBeGreaterThan((interval?.low ?? Number.POSITIVE_INFINITY) * 0.985)
        expect(value).toBeLessThan((interval?.high ?? 0) * 1.015)
      }
      holds(entry?.fused.p50Ms, fused.p50Ms.value)
      holds(advice.total.fusedPerMillionUsd, cost(fused))
      expect(fused.p50Ms.value).toBeLessThan(now.p50Ms.value * 1.02)
      expect(cost(fused)).toBeLessThan(cost(now) * 1.01)
      expect(Math.abs((entry?.fused.doubleBillingShare ?? 1) - fused.doubleBillingShare)).toBeLessThan(0.02)
    }),
    { numRuns: 25, seed: 21 },
  )
})

const MB = { memoryMb: 512 }

/** n requests of a shop whose times vary. */
function requests(n: number, runs: (vary: (ms: number) => number) => Short[], seed = 3): RequestTrace[] {
  const random = seededRandom(seed)
  return Array.from({ length: n }, (_, i) =>
    traceOf(
      String(i),
      runs((ms) => ms * (0.9 + 0.2 * random())),
      i * 1000,
    ),
  )
}

/** a calls b and c beside each other; nothing tells whether they compute. */
const beside = (more: Short['more'] = {}) =>
  requests(300, (vary) => {
    const [b, c] = [vary(100), vary(100)]
    const end = 20 + Math.max(b, c) + 10
    return [
      { task: 'a', at: [0, end + 10], invocation: MB, more: { cpuMs: 1 } },
      { task: 'b', from: 'a', at: [15, 15 + b], call: [10, 20 + b], invocation: MB, more },
      { task: 'c', from: 'a', at: [15, 15 + c], call: [10, 20 + c], invocation: MB, more },
    ]
  })

test('calls beside each other: waiting is fused, computing is not, and what is not known is said', () => {
  const waiting = advise(beside({ cpuMs: 0 }))
  expect(waiting.edges.map(({ verdict }) => verdict)).toEqual(['fuse', 'fuse'])
  expect(waiting.notation).toBe('(a,b,c)')
  // They take all of a core at 512 of 1769 MB.
  const computing = advise(beside({ cpuMs: 29 }))
  expect(computing.notation.split('-')).toHaveLength(2)
  expect(computing.edges.filter(({ verdict }) => verdict === 'fuse')).toHaveLength(1)
  const unknown = advise(beside())
  expect(unknown.notation.split('-')).toHaveLength(2)
  const left = unknown.edges.find(({ verdict }) => verdict === 'unclear')
  expect(left?.why.join(' ')).toMatch(/Beside what is fused already it may lose/)
  expect(left?.why.join(' ')).toMatch(/do not tell which is which/)
  expect(left?.parallelShare).toBe(1)
})

test('a small callee of a large caller: fusing pays for the larger memory, and the trade is told', () => {
  // The callee only waits, long, at 128 MB; the caller has 8 GB and sends nothing meanwhile.
  const traces = requests(300, (vary) => {
    const work = vary(30)
    return [
      { task: 'big', at: [0, 20 + 4], invocation: { memoryMb: 8192 }, more: { cpuMs: 1 } },
      {
        task: 'small',
        from: 'big',
        mode: 'send',
        at: [20, 20 + 4000 + work],
        call: [5, 12],
        invocation: { memoryMb: 128 },
        more: { cpuMs: 1 },
      },
    ]
  })
  const advice = advise(traces)
  expect(edge(advice, 'big>small')).toMatchObject({ verdict: 'keep', mode: 'send' })
  expect(edge(advice, 'big>small')?.savesPerMillionUsd?.high).toBeLessThan(0)
  expect(advice.notation).toBe('(big)-(small)')
})

test('without memory there is no cost, unless one is assumed', () => {
  const traces = requests(50, (vary) => {
    const b = vary(20)
    return [
      { task: 'a', at: [0, 60 + b] },
      { task: 'b', from: 'a', at: [30, 30 + b], call: [10, 50 + b] },
    ]
  })
  const none = advise(traces)
  expect(none.total.nowPerMillionUsd).toBeNull()
  expect(none.doubleBilling).toMatchObject({ perMillionRequestsUsd: null, unit: 's' })
  expect(edge(none, 'a>b')).toMatchObject({ verdict: 'fuse', savesPerMillionUsd: null })
  expect(edge(none, 'a>b')?.savesMs?.value).toBeCloseTo(40, 6)
  expect(none.limits.join(' ')).toMatch(/The memory of a and b is not in the traces: no cost is told/)
  expect(none.limits.join(' ')).toMatch(/P95 of a is only indicative/)
  const assumed = advise(traces, { assumedMemoryMb: 1024 })
  // a is billed 60 + b, b for b; fused: 20 + b in one. Fees: two, then one; and the gateway's.
  const perMs = awsLike.prices.perGbSecond * 1e3
  expect(assumed.total.savesPerMillionUsd?.value).toBeCloseTo((40 + 20) * perMs + 0.2, 1)
})

test('an inline call loses its hand-over and its start-up, and an invocation’s fee', () => {
  const advice = advise([
    traceOf('1', [
      { task: 'a', at: [0, 600], invocation: { ...MB, coldMs: null } },
      { task: 'b', from: 'a', at: [510, 530], call: [100, 540], invocation: { ...MB, coldMs: 380 } },
    ]),
  ])
  const [entry] = advice.entries
  expect(entry?.fused.p50Ms.value).toBeCloseTo(600 - 440 + 20, 6)
  expect([entry?.now.startUpsPerRequest, entry?.fused.startUpsPerRequest]).toEqual([1, 0])
  expect([entry?.now.invocationsPerRequest, entry?.fused.invocationsPerRequest]).toEqual([2, 1])
  expect(edge(advice, 'a>b')).toMatchObject({ coldShare: 1, remoteShare: 1 })
})

test('what becomes an invocation’s first hand-over takes as long as first ones do', () => {
  const shop = requests(100, (vary) => {
    const b = vary(10)
    return [
      { task: 'a', at: [0, 80 + b], invocation: MB },
      { task: 'b', from: 'a', at: [20, 20 + b], call: [5, 45 + b], invocation: MB },
      { task: 'c', from: 'a', mode: 'send', at: [70, 90], call: [50 + b, 70 + b], invocation: MB },
    ]
  })
  // Here a send is the first hand-over: 30 ms instead of 20.
  const other = requests(100, (vary) => [
    { task: 'd', at: [0, 50], invocation: MB },
    { task: 'e', from: 'd', mode: 'send', at: [40, 40 + vary(10)], call: [10, 40], invocation: MB },
  ])
  const saves = (traces: RequestTrace[]) => advise(traces).entries.find(({ task }) => task === 'a')?.saves.p50Ms.value
  expect(saves(shop)).toBeCloseTo(40, 6)
  expect(saves([...shop, ...other])).toBeCloseTo(40 - 10, 6)
})

test('sizes: two sizes tell the law, CPU time tells it too, one size tells nothing', () => {
  const at = (memoryMb: number, cpuMs?: number) =>
    requests(100, (vary) => {
      const ms = vary(100 + 100_000 / memoryMb)
      return [{ task: 'f', at: [0, ms], invocation: { memoryMb }, more: cpuMs === undefined ? {} : { cpuMs } }]
    })
  const [two] = advise([...at(256), ...at(1024)]).sizes
  expect(two).toMatchObject({
    function: 'f',
    from: 'two sizes',
    seen: [
      { memoryMb: 256, invocations: 100 },
      { memoryMb: 1024, invocations: 100 },
    ],
  })
  // Waiting costs in proportion to memory, computing the same at every size: the smallest is the cheapest, by more than 3%.
  expect(two?.adviseMb).toBe(128)
  expect(two?.thenMs?.value).toBeGreaterThan(0.97 * (100 + 100_000 / 128))
  expect(two?.thenMs?.value).toBeLessThan(1.03 * (100 + 100_000 / 128))
  expect(two?.savesPerMillionUsd?.low).toBeLessThanOrEqual(two?.savesPerMillionUsd?.value ?? 0)
  // At 256 MB 390 ms of computing are 56.5 ms of a full core.
  const [cpu] = advise(at(256, 56.5)).sizes
  expect(cpu).toMatchObject({ from: 'cpu time', adviseMb: 128 })
  expect(cpu?.thenMs?.value).toBeGreaterThan(0.97 * (100 + 100_000 / 128))
  const [one] = advise(at(256)).sizes
  expect(one).toMatchObject({ from: 'nothing', memoryMb: 256 })
  expect(one).not.toHaveProperty('adviseMb')
  expect(one?.why[0]).toMatch(/Seen at 256 MB only, and without CPU time/)
})

test('of several setups the last one is advised about; the others tell sizes of functions that do the same', () => {
  const setup = (id: string, from: number, memoryMb: number, inline: boolean) =>
    requests(60, (vary) => {
      const [a, b] = [vary(100 + 50_000 / memoryMb), vary(40)]
      return [
        { task: 'a', at: [0, a + b + (inline ? 0 : 50)], invocation: { memoryMb } },
        {
          task: 'b',
          from: 'a',
          inline,
          at: [30, 30 + b],
          ...(!inline && { call: [10, 60 + b] as [number, number] }),
          invocation: MB,
        },
      ]
    }).map((trace) => ({ ...trace, setup: id, arrivalMs: trace.arrivalMs + from }))
  const advice = advise([
    ...setup('new', 2e6, 512, false),
    ...setup('old', 0, 2048, true),
    ...setup('older', 1e6, 1024, false),
  ])
  expect(advice).toMatchObject({ setup: 'new', requests: 60, otherRequests: 120, notation: '(a,b)' })
  expect(advice.edges).toMatchObject([{ calls: 60, remoteShare: 1 }])
  expect(advice.limits.join(' ')).toMatch(/about the last setup, new: 60 requests. 120 requests of other setups/)
  // In the setup `old` b was inline in a: its time says nothing about a alone.
  expect(advice.sizes.find((size) => size.function === 'a')).toMatchObject({
    memoryMb: 512,
    from: 'two sizes',
    seen: [{ memoryMb: 512 }, { memoryMb: 1024 }],
  })
})

test('pure computing is as cheap at every size up to a core: the fastest of those is advised', () => {
  const traces = [128, 512].flatMap((memoryMb) =>
    requests(100, (vary) => [{ task: 'f', at: [0, vary(100_000 / memoryMb)], invocation: { memoryMb } }]),
  )
  const [size] = advise(traces).sizes
  expect(size?.adviseMb).toBeGreaterThanOrEqual(1024)
  expect(size?.adviseMb).toBeLessThanOrEqual(1769)
})

test('what is kept does not grow with the requests, and samples speak for all', () => {
  const traces = requests(2000, (vary) => {
    const b = vary(20)
    return [
      { task: 'a', at: [0, 60 + b], invocation: MB },
      { task: 'b', from: 'a', at: [30, 30 + b], call: [10, 50 + b], invocation: MB },
    ]
  })
  const advice = advise(traces, { sampleRequests: 200 })
  expect(advice.requests).toBe(2000)
  expect(advice.entries[0]).toMatchObject({ requests: 2000, sampled: 200 })
  expect(advice.limits.join(' ')).toMatch(/200 of 2000 requests/)
  const all = advise(traces, { sampleRequests: 2000 }).entries[0]?.now.p50Ms.value ?? 0
  expect(Math.abs((advice.entries[0]?.now.p50Ms.value ?? 0) / all - 1)).toBeLessThan(0.02)
  expect(advise(traces, { sampleRuns: 300 }).entries[0]?.sampled).toBeLessThanOrEqual(150)
})

test('the same traces and seed give the same advice', () => {
  const traces = beside()
  expect(advise(traces, { sampleRequests: 50 })).toEqual(advise(traces, { sampleRequests: 50 }))
})

test('nothing seen is nothing advised', () => {
  expect(advise([])).toMatchObject({
    requests: 0,
    entries: [],
    edges: [],
    notation: '',
    total: { nowPerMillionUsd: null, fusedPerMillionUsd: null, savesPerMillionUsd: null },
    doubleBilling: { share: { value: 0, n: 0 }, perMillionRequestsUsd: null },
  })
})

test('recursion and many names end', () => {
  const recursive = traceOf('1', [
    { task: 'a', at: [0, 100], invocation: MB },
    { task: 'a', from: 'a', at: [20, 60], call: [10, 70], invocation: MB },
  ])
  expect(advise([recursive]).notation).toBe('(a)')
  const many = Array.from({ length: 1500 }, (_, i) =>
    traceOf(String(i), [
      { task: `user ${i}`, at: [0, 50] },
      { task: `item ${i}`, from: `user ${i}`, at: [10, 20], call: [5, 25] },
    ]),
  )
  const advice = advise(many)
  expect(advice.nodes.length).toBeLessThanOrEqual(1001)
  expect(advice.requests).toBe(1500)
})
