import { predict, type RequestTrace, seededRandom } from '@fusionize/planner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Node, type Step, treeOf } from '../src/model/tree.js'
import { type Short, traceOf } from './trace.js'

const MB = { memoryMb: 1769 }
const many = (runs: Short[]): RequestTrace[] =>
  Array.from({ length: 40 }, (_, i) => traceOf(String(i), runs, 10_000 * i))
const setupOf = (memory: number, inline: Partial<Record<'call' | 'send' | 'map', string[]>>) => ({
  functions: { a: { memory, inline: { call: [], send: [], map: [], ...inline } } },
})

/** A run that calls others at any times. */
const calls = fc.array(fc.tuple(fc.nat(40), fc.nat(25), fc.boolean(), fc.boolean()), { maxLength: 14 })

test('the calls that a call waited for are all that had ended, though only the last are named', () => {
  fc.assert(
    fc.property(calls, (list) => {
      const trace = traceOf('1', [
        { task: 'a', at: [0, 100], invocation: MB },
        ...list.map(
          ([from, ms, remote, send]): Short => ({
            task: 'b',
            from: 'a',
            mode: send ? 'send' : 'call',
            inline: !remote,
            at: [from, from + ms],
            ...(remote && { call: [from, from + ms] as [number, number], invocation: MB }),
          }),
        ),
      ])
      const { nodes } = treeOf(trace)
      const { steps } = nodes[0] as Node
      const startOf = ({ child }: Step) => trace.runs[child]?.startMs ?? 0
      const endOf = ({ child }: Step) => trace.runs[child]?.endMs ?? 0
      const reached = steps.map(() => new Set<number>())
      for (const [k, step] of steps.entries())
        for (const before of step.after)
          for (const one of [before, ...(reached[before] as Set<number>)]) reached[k]?.add(one)
      for (const [k, step] of steps.entries()) {
        const ended = steps.flatMap((other, j) =>
          !(other.mode === 'send' && other.route === 'inline') &&
          endOf(other) <= startOf(step) &&
          startOf(other) < startOf(step)
            ? [j]
            : [],
        )
        expect([...(reached[k] as Set<number>)].sort((x, y) => x - y)).toEqual(ended)
        expect(step.isFirstRemote).toBe(step.route === 'remote' && ended.every((j) => steps[j]?.route !== 'remote'))
      }
    }),
    { seed: 12 },
  )
})

test('a thousand calls one after the other are told in as many names', () => {
  const list = Array.from({ length: 1000 }, (_, i): Short => ({ task: 'b', from: 'a', inline: true, at: [i, i + 1] }))
  const { nodes } = treeOf(traceOf('1', [{ task: 'a', at: [0, 1001], invocation: MB }, ...list]))
  expect(nodes[0]?.steps.reduce((sum, { after }) => sum + after.length, 0)).toBe(999)
})

test('what is sent inline begins after the reply: a wait in it is billed on top, at every size of the wait', () => {
  for (const waitMs of [5, 40, 400]) {
    const traces = many([
      { task: 'a', at: [0, 60], invocation: MB, more: { cpuMs: 1 } },
      { task: 'b', from: 'a', mode: 'send', at: [20, 20 + waitMs], call: [10, 15], invocation: MB, more: { cpuMs: 0 } },
    ])
    const options = {
      prices: { perGbSecond: 1, perRequest: 0, perGatewayRequest: 0, billsInit: true, granularityMs: 1 },
    }
    const { p50Ms, costsUsd } = predict(traces, setupOf(1769, { send: ['b'] }), options)
    expect(p50Ms.value).toBeCloseTo(55, 6)
    expect(costsUsd[0]).toBeCloseTo((1769 / 1024) * ((55 + waitMs) / 1000), 9)
  }
})

test('calls that become inline side by side compute in turn, whatever was waited for before them', () => {
  const runs = (): Short[] => [
    { task: 'a', at: [0, 250], invocation: MB, more: { cpuMs: 0 } },
    { task: 'b', from: 'a', at: [105, 145], call: [100, 150], invocation: MB, more: { cpuMs: 40 } },
    { task: 'c', from: 'a', at: [105, 145], call: [100, 150], invocation: MB, more: { cpuMs: 40 } },
  ]
  const both = predict(many(runs()), setupOf(1769, { call: ['b', 'c'] }))
  expect(both.p50Ms.value).toBeCloseTo(100 + 2 * 40 + 100, 6)
  const one = predict(many(runs()), setupOf(1769, { call: ['b'] }))
  expect(one.p50Ms.value).toBeCloseTo(250, 6)
})

test('a share of a core is a slower core where its period is nothing: no stops, no fresh quota', () => {
  const random = seededRandom(2)
  const vary = () => 0.95 + 0.1 * random()
  const traces = Array.from({ length: 40 }, (_, i) => {
    const [a, b] = [10 * vary(), 30 * vary()]
    const core = 1769 / 512
    return traceOf(
      String(i),
      [
        { task: 'a', at: [0, a * core + 30 + b * core], invocation: { memoryMb: 512 }, more: { cpuMs: a } },
        {
          task: 'b',
          from: 'a',
          at: [15, 15 + b * core],
          call: [0, 30 + b * core],
          invocation: { memoryMb: 512 },
          more: { cpuMs: b },
        },
      ],
      i * 10_000,
    )
  })
  const at = (memory: number, periodMs?: number) =>
    predict(traces, setupOf(memory, { call: ['b'] }), periodMs === undefined ? {} : { periodMs }).p50Ms.value
  const even = at(512, 0)
  expect(even / (40 * (1769 / 512))).toBeCloseTo(1, 1)
  // With turns, what follows an inline call begins with a stop: at most one period more.
  expect(at(512)).toBeGreaterThan(even + 5)
  expect(at(512)).toBeLessThan(even + 20)
  expect(at(256, 0) / even).toBeCloseTo(2, 1)
})
