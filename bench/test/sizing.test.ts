import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import sizing from '../dist/cases/sizing.js'
import { runBench } from '../dist/harness.js'
import { readDag } from '../dist/sizing/read-dag.js'
import { readProfile } from '../dist/sizing/read-profile.js'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fusionize-sizing-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Runs whose `Work` halves with twice the memory, and whose `Prepare` no memory changes. */
function writeRuns(sizes = [1000, 2000, 4000], line = (i: number, mb: number) => pairs(i, mb)): void {
  for (const mb of sizes)
    writeFileSync(
      join(dir, `runs_${mb}_${mb}.txt`),
      `${Array.from({ length: 60 }, (_, i) => line(i, mb)).join('\n')}\n`,
    )
}
const work = (i: number, mb: number) => Math.round((20_000 * 1000 * (1 + ((i * 37) % 60) / 200)) / mb)
const pairs = (i: number, mb: number) => {
  const [prepare, hop] = [500 + ((i * 13) % 60), 30]
  return `E2E:${work(i, mb) + prepare + hop + 800} Work:${work(i, mb)} Hop:${hop} Prepare:${prepare}`
}
const bench = (options: Record<string, string>) => runBench('sizing', sizing, { profile: dir, p95: '12s', ...options })

describe('the sizing bench', () => {
  it('chooses from odd lines, judges on even ones, and says what it assumed', async () => {
    writeRuns()
    const { rows, findings } = await bench({})
    expect(rows.map(({ case: id }) => id)).toEqual([
      'plan-linear',
      'orion-linear',
      'plan-inverse',
      'orion-inverse',
      'plan-linear-residual',
      'orion-linear-residual',
      'plan-inverse-residual',
      'orion-inverse-residual',
    ])
    expect(findings.slice(0, 2)).toEqual([
      'assumed: stages in series: Prepare, Hop, Work',
      'assumed: Hop without a size: 3 stages for 2 sizes, and the shortest',
    ])
    const at = (id: string) => rows.find((row) => row.case === id) as (typeof rows)[number]
    for (const law of ['linear', 'inverse']) {
      const [plan, orion] = [at(`plan-${law}`), at(`orion-${law}`)]
      expect(plan.n).toBe(90)
      expect(plan.p95).toBeLessThanOrEqual(12_000)
      expect(plan.more?.mbMs as number).toBeLessThanOrEqual((orion.more?.mbMs as number) * 1.02)
      expect(plan.more).toMatchObject({ sizesMb: { Prepare: 1000 } })
    }
    // The CPU law holds exactly, so only 1/MB predicts the size that was left out.
    const left = (law: string) => findings.find((line) => line.startsWith(`without 2000 MB, ${law}`)) ?? ''
    expect(left('inverse')).toMatch(/Work p50 [+-]?[01]\.\d%/)
    expect(left('linear')).toMatch(/Work p50 \+[2-9]\d/)
  })

  it('reads a first line of names, and shapes from a file', async () => {
    writeRuns([1000, 2000], (i, mb) => (i === 0 ? 'A,B' : `${work(i, mb)},${work(i + 7, mb)}`))
    const dag = join(dir, 'shape.json')
    writeFileSync(dag, '{"parallel": ["A", "B"]}')
    const { rows } = await bench({ p95: '25s', dag })
    expect(rows).toHaveLength(4)
    expect(rows[0]?.p95).toBeLessThanOrEqual(25_000)
    expect(rows[0]?.p50).toBeGreaterThan(10_000)
  })

  it('says which file and line it cannot read', () => {
    expect(() => readProfile(join(dir, 'none'))).toThrow("cannot read the profile's folder")
    expect(() => readProfile(dir)).toThrow('has 0 files whose names end in sizes')
    writeRuns([1000, 2000], (i, mb) => (i === 3 && mb === 2000 ? 'E2E:5 Work:fast' : pairs(i, mb)))
    expect(() => readProfile(dir)).toThrow(/runs_2000_2000\.txt:4 has 'fast', which is no time in ms/)
    writeRuns([1000, 2000], (i, mb) => (i === 3 && mb === 2000 ? 'Work:5' : pairs(i, mb)))
    expect(() => readProfile(dir)).toThrow(
      /runs_2000_2000\.txt:4 has the stages Work, the first file has Work, Hop, Prepare/,
    )
    writeRuns([1000, 2000], (i, mb) => (i === 0 ? `${pairs(i, mb)} Work:1` : pairs(i, mb)))
    expect(() => readProfile(dir)).toThrow("names 'Work' twice")
  })

  it('says what is wrong with a shape', () => {
    writeRuns()
    const profile = readProfile(dir)
    const path = join(dir, 'shape.json')
    const wrong = (text: string) => {
      writeFileSync(path, text)
      return () => readDag(profile, path)
    }
    expect(wrong('{"series": ["Work"')).toThrow('cannot read the shape')
    expect(wrong('{"series": ["Work", "Hop"]}')).toThrow('leaves out Prepare')
    expect(wrong('{"series": ["Wrk", "Hop", "Prepare"]}')).toThrow("did you mean 'Work'")
    expect(wrong('{"serial": ["Work"]}')).toThrow('is no shape')
    expect(wrong('{"shape": {"series": ["Prepare", "Hop", "Work"]}, "sized": ["Work"]}')).toThrow(
      'file names have 2 sizes',
    )
  })

  it('ends with one line, not a stack, for what the user got wrong', async () => {
    writeRuns()
    const main = new URL('../dist/main.js', import.meta.url).pathname
    const outcome = await new Promise<{ code: unknown; stderr: string }>((resolve) =>
      execFile(process.execPath, [main, 'sizing', '--profile', dir, '--p95', 'soon'], (error, _, stderr) =>
        resolve({ code: error?.code, stderr }),
      ),
    )
    expect(outcome).toEqual({ code: 1, stderr: '--p95 soon is no time; write it like 25s or 800ms\n' })
  })
})
