import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createBuilder } from '@fusionize/platform'
import { allFusedSetup, remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Result } from '../dist/harness.js'
import { writeTraces } from './foreign-traces.js'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-test-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function bench(...args: string[]): Promise<Result> {
  const { stdout } = await run(process.execPath, [main, ...args, '--quick', '--json'])
  return JSON.parse(stdout)
}

// Each is a process of its own, and nothing timed is asserted: two at a time.
describe.concurrent('npm run bench', { timeout: 300_000 }, () => {
  it.each([
    'inline-call',
    'startup',
    'hop',
    'send',
    'trigger',
    'chain',
    'fan-out',
    'payload',
    'map',
    'ad-events',
    'gateway',
    'throughput',
    'advise',
    'plan',
    'simulator',
    'planner',
  ])('measures every case of %s', async (name) => {
    const raw = join(dir, `${name}.ndjson`)
    const { rows } = await bench(name, '--raw', raw)
    for (const row of rows) {
      expect(row.n).toBeGreaterThan(0)
      expect(row.p50).toBeLessThanOrEqual(row.p99)
    }
    const samples = readFileSync(raw, 'utf8').trim().split('\n')
    expect(samples).toHaveLength(rows.reduce((sum, row) => sum + row.n, 0))
  })

  it('replays foreign traces and says how far off it is', async () => {
    const traces = mkdtempSync(join(dir, 'traces-'))
    writeTraces(traces)
    const { rows, findings } = await bench('emulation', '--traces', traces)
    expect(rows).toMatchObject([{ case: 'made-up/a', n: 2, more: { awsP50Ms: 260, requests: 2 } }])
    // Two requests start all their sandboxes: each waits for a start-up of half a second.
    expect(rows[0]?.p50).toBeGreaterThan(500)
    expect(findings.join('\n')).toContain('0 of 1 setups within 20%')
  })

  it('says how far from the best of a set a strategy got, and after how many deployments', async () => {
    const { rows, findings } = await bench('convergence', '--only', 'plan-tree', '--seconds', '20')
    expect(rows).toMatchObject([{ case: 'plan-tree', unit: 'deployments', more: { converged: true } }])
    const { deployed = 0, within2 } = rows[0]?.more ?? {}
    expect(rows[0]?.n).toBe(within2 ? 1 : 0)
    expect(rows[0]?.p50 ?? 0).toBeLessThanOrEqual(Number(deployed))
    expect(findings[0]).toMatch(/^tree: \d+ setups measured .*\n {2}.*best: \(a/s)
  })

  it('does the same in simulated applications, the same ones for a seed', async () => {
    const simulated = (seed: string) => bench('convergence', '--only', 'simulated', '--seed', seed)
    const [one, again, other] = [await simulated('5'), await simulated('5'), await simulated('6')]
    expect(one.rows.map(({ case: id }) => id)).toEqual(['plan-simulated', 'closure-simulated', 'published-simulated'])
    for (const { more } of one.rows) expect(more).toMatchObject({ applications: 2 })
    expect(again.rows).toEqual(one.rows)
    expect(other.rows).not.toEqual(one.rows)
  })

  it('plans under a budget and under a latency bound, and measures anew what was adopted', async () => {
    const { rows, findings } = await bench('replications', '--app', 'tree', '--replications', '1')
    expect(rows.map(({ case: id, n }) => [id, n])).toEqual([
      ['budget', 1],
      ['p95', 1],
    ])
    for (const { more } of rows) expect(more).toMatchObject({ replications: 1, needed: 1 })
    expect(findings.join('\n')).toContain('kept in')
  })

  it('puts the setups of five strategies under a load', async () => {
    const app = await scan('tree')
    const setups = join(dir, 'setups.json')
    const found = { published: remoteSetup(app, 256), closure: allFusedSetup(app, 256), plan: allFusedSetup(app, 384) }
    writeFileSync(setups, JSON.stringify({ tree: found }))
    const { rows } = await bench('cold', '--app', 'tree', '--setups', setups)
    for (const row of rows.filter(({ case: id }) => id.startsWith('tree-'))) {
      expect(row.n).toBe(4)
      expect(row.more).toMatchObject({ errors: 0, startUps: { invocations: { forced: 1 }, requests: 1 } })
    }
  })

  it('compares ten strategies on an application for the same goal', { timeout: 600_000 }, async () => {
    const { rows, findings } = await bench('wisefuse', '--app', 'ml-pipeline')
    expect(rows).toHaveLength(10)
    for (const { n, more } of rows) {
      expect(n).toBe(6)
      expect(more).toMatchObject({ errors: 0 })
    }
    const all = findings.join('\n')
    for (const words of ['goal of all', 'plan in (P95, cost)', 'plan against photons-best', 'simulated P95'])
      expect(all).toContain(words)
  })

  it('puts the web shop in the setups of five strategies under its load, and goes through its books', async () => {
    const app = await scan('webshop')
    const setups = join(dir, 'shop-setups.json')
    writeFileSync(
      setups,
      JSON.stringify({
        webshop: {
          published: allFusedSetup(app, 512),
          closure: allFusedSetup(app, 256),
          plan: allFusedSetup(app, 384),
        },
      }),
    )
    const { rows, findings } = await bench('webshop', '--setups', setups)
    for (const strategy of ['remote', 'all-fused', 'published', 'closure', 'plan']) {
      const own = rows.filter(({ case: id }) => id.startsWith(strategy))
      expect(own.map(({ n }) => n)).toEqual([12, 4, 4, 4])
      expect(own[0]?.more).toMatchObject({ requests: 12, errors: 0 })
    }
    // Six more runs for each that adds, eighteen for each that looks, and about a dozen for each that buys.
    expect(rows[0]?.more?.invocationsPerRequest).toBeGreaterThan(10)
    expect(findings.join()).toContain("the shop's books are right")
  })

  it('says what is wrong with its arguments', async () => {
    const wrong = async (...args: string[]) => run(process.execPath, [main, ...args]).catch((error) => error)
    expect(await wrong('hopp')).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean 'hop'") })
    expect(await wrong('hop', '--quik')).toMatchObject({ code: 2, stderr: expect.stringContaining('--quik') })
    expect(await wrong()).toMatchObject({ code: 2 })
  })
})

async function scan(example: string) {
  const builder = createBuilder({
    appDir: fileURLToPath(new URL(`../../examples/${example}`, import.meta.url)),
    name: example,
    taskDirs: ['tasks'],
    outDir: '.fusionize/artifacts',
    adapter: fileURLToPath(import.meta.resolve('@fusionize/local/sandbox')),
  })
  const app = await builder.scan()
  await builder.dispose()
  return app
}
