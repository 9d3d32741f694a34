import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import prediction from '../src/cases/prediction.js'
import { runBench } from '../src/harness.js'
import { readRuns } from '../src/lib/published-runs.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const call = (called: string, time: number, local: boolean, sync: boolean) => ({
  called,
  caller: 'x',
  time,
  local,
  sync,
})

/** `a` computes 400 ms at 128 MB and calls `b`, which computes 2000; 30 requests whose times differ. */
function write(name: string, memoryMb: number, fused: boolean): void {
  const lines = Array.from({ length: 30 }, (_, i) => {
    const scale = (128 / memoryMb) * (1 + ((i * 7) % 10) / 50)
    const [own, work, handOver] = [400 * scale, 2000 * scale, fused ? 0 : 30].map(Math.round) as [
      number,
      number,
      number,
    ]
    const start = 1_700_000_000_000 + 5000 * i
    const record = (fn: string, startTimestamp: number, ms: number, calls: object[]) =>
      JSON.stringify({
        traceId: `${name}-a-${memoryMb}-${i}`,
        currentFunction: fn,
        memoryAvail: String(memoryMb),
        isRootInvocation: fn === 'a',
        isColdStart: false,
        startTimestamp,
        endTimestamp: startTimestamp + ms + 1,
        billedDuration: ms + 2,
        internalDuration: ms,
        calls: [...calls, call(fn, ms, true, true)],
      })
    const total = own + work + handOver
    const mine = record('a', start, total, [call('b', work + handOver, fused, true)])
    return fused ? mine : `${mine}\n${record('b', start + own + handOver / 2, work, [])}`
  })
  writeFileSync(join(dir, `${name}.ndjson`), lines.join('\n'))
}

const rule = (where: string, mb: number) =>
  where === 'local' ? { strategy: 'local' } : { strategy: 'remote', url: mb === 128 ? 'SYNC-b' : `SYNC-b-${mb}` }

function writeSetups(setups: Record<string, [where: string, mb: number]>): void {
  const rules = ([where, mb]: [string, number]) => ({
    rules: { a: { b: { sync: rule(where, mb), async: rule('remote', mb) } }, b: {} },
  })
  const document = {
    order: Object.keys(setups),
    setups: Object.fromEntries(Object.entries(setups).map(([name, setup]) => [name, rules(setup)])),
  }
  writeFileSync(join(dir, 'setups.json'), JSON.stringify(document))
}

test('every later setup of a folder is predicted from the earliest, with a second size where sizes changed', async () => {
  write('s-remote', 128, false)
  write('s-fused', 128, true)
  write('s-large', 512, true)
  write('s-middle', 256, true)
  writeSetups({
    's-remote': ['remote', 128],
    's-fused': ['local', 128],
    's-large': ['local', 512],
    's-middle': ['local', 256],
  })
  const { rows, findings } = await runBench('prediction', prediction, { traces: dir })
  const name = readRuns(dir)[0]?.name
  expect(rows.map((row) => row.case)).toEqual([`${name}/s-fused`, `${name}/s-large`, `${name}/s-middle`])
  expect(rows.map((row) => row.more?.given)).toEqual([['s-remote'], ['s-remote', 's-middle'], ['s-remote', 's-large']])
  for (const row of rows) {
    const { errors } = row.more as { errors: { p50: number; cost: number } }
    const { p50, cost } = errors
    expect(Math.abs(p50)).toBeLessThan(0.1)
    expect(Math.abs(cost)).toBeLessThan(0.1)
  }
  expect(findings.filter((text) => text.includes('s-fused: p50'))).toHaveLength(1)
  expect(findings.join('\n')).toMatch(/3 of 3 setups within their aims, from s-remote/)
})

test('without rules the records tell the routes, and broken lines are reported', async () => {
  write('1', 128, false)
  write('2', 128, true)
  mkdirSync(join(dir, 'deeper'))
  writeFileSync(join(dir, '3.ndjson'), 'nonsense\n')
  const [run] = readRuns(dir)
  expect(run?.setups.map(({ setup }) => setup.functions.a?.inline.call)).toEqual([[], ['b']])
  expect(run?.empty).toEqual(['3'])
  const { findings } = await runBench('prediction', prediction, { traces: dir })
  expect(findings.join('\n')).toMatch(/3: no request in its records/)
})

test('a folder without records is an error that says what is wanted', () => {
  expect(() => readRuns(dir)).toThrow(/no .ndjson file/)
  expect(() => readRuns(join(dir, 'nowhere'))).toThrow(/there is no folder/)
})
