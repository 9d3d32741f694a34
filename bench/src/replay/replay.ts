import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocalPlatform } from '@fusionize/local'
import { costOf, totalOf } from '@fusionize/planner'
import type { Build, Platform } from '@fusionize/platform'
import { type InvocationRecord, parseRecord } from 'fusionize/record'

/** A setup and the requests that it gets. */
export interface ReplayOrder {
  build: Build
  /** When each request arrives, ms after the first. */
  dueMs: number[]
  /** Of each request, JSON. */
  inputs: string[]
  /** Every invocation in a fresh sandbox. */
  forceCold: boolean
  seed: number
}

export interface ReplayOutcome {
  /** Root handler of each request, ms. */
  latencies: number[]
  /** Of one request. */
  costUsd: number
  coldShare: number
}

/** Runs the requests on a local platform with emulated delays, and reads what came of them from its records. */
export async function replay({ build, dueMs, inputs, forceCold, seed }: ReplayOrder): Promise<ReplayOutcome> {
  const dir = mkdtempSync(join(tmpdir(), 'fusionize-bench-'))
  const platform = await createLocalPlatform({
    dir,
    app: build.app.name,
    isolation: 'threads',
    emulate: 'aws-lambda',
    seed,
    durability: 'none',
    gateway: false,
    timeoutMs: 120_000,
    maxSandboxes: 2000,
  })
  try {
    await platform.deploy(build, { forceCold })
    const began = performance.now()
    await Promise.all(
      inputs.map(async (input, i) => {
        await sleep(Math.max(0, began + (dueMs[i] as number) - performance.now()))
        const result = await platform.invoke('analyze-sensor', input)
        if (!result.ok) throw new Error(`request ${i} failed: ${result.error.message}`)
      }),
    )
    await platform.drained()
    return await evaluate(platform, inputs.length)
  } finally {
    await platform.destroy()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function evaluate(platform: Platform, requests: number): Promise<ReplayOutcome> {
  const records: InvocationRecord[] = []
  for (let since: string | undefined, more = true; more; ) {
    const page = await platform.records(since)
    records.push(...page.lines.map(parseRecord))
    more = page.lines.length > 0
    since = page.next
  }
  const starts = new Map<string, number>()
  for (const { session, start } of records)
    starts.set(session, Math.min(start, starts.get(session) ?? Number.POSITIVE_INFINITY))
  const roots = records.filter((record) => record.parent === null)
  if (roots.length !== requests) throw new Error(`${requests} requests left ${roots.length} records of their root`)
  const facts = platform.facts()
  // In 2023 AWS billed no INIT, and its prices were those of today.
  const then = { ...facts, prices: { ...facts.prices, billsInit: false, perGatewayRequest: 0 } }
  return {
    latencies: roots.map(({ session, start, reply }) => start + reply - (starts.get(session) as number)),
    costUsd: records.reduce((sum, record) => sum + totalOf(costOf(record, then)), 0) / requests,
    coldShare: records.filter((record) => record.cold !== null).length / records.length,
  }
}
