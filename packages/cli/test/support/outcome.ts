import type { Estimate, Measurement } from '@fusionize/planner'
import { type App, allFusedSetup, type FusionSetup, printSetup, remoteSetup, setupId } from 'fusionize/setup'
import type { Outcome, Row } from '../../src/control/outcome.js'
import { judge } from '../../src/control/verdict.js'

/** A small application for tests of what is shown: an entry, a shared callee, a send, and a task with an awkward name. */
export const app: App = {
  name: 'shop <&> "co"',
  tasks: Object.fromEntries(
    ['cart', 'checkout', 'email', 'price', 'stock'].map((name) => [name, { name, file: `tasks/${name}.ts`, line: 1 }]),
  ),
  edges: [
    { from: 'cart', to: 'price', modes: ['call'] },
    { from: 'checkout', to: 'cart', modes: ['call'] },
    { from: 'checkout', to: 'email', modes: ['send'] },
    { from: 'checkout', to: 'stock', modes: ['call', 'map'] },
    { from: 'stock', to: 'price', modes: ['call'] },
  ],
}
;(app.tasks.checkout as { http?: unknown }).http = { method: 'POST', path: '/checkout' }

export function estimate(value: number, n = 1000, spread = 0.04): Estimate {
  return { value, low: value * (1 - spread), high: value * (1 + spread), n }
}

export function measurement(p50: number, cost: number | null, n = 1000): Measurement {
  return {
    requests: n,
    errors: 0,
    p50Ms: estimate(p50, n),
    p95Ms: estimate(p50 * 1.8, n),
    p99Ms: estimate(p50 * 2.6, n, 0.1),
    costPerMillionUsd: cost === null ? null : estimate(cost, n),
    cost:
      cost === null ? null : { compute: cost * 0.7, requests: cost * 0.15, startup: cost * 0.1, gateway: cost * 0.05 },
    coldStarts: 3,
    invocations: n * 4,
    invocationsPerRequest: 4,
    doubleBillingShare: 0.2,
  }
}

export function row(setup: FusionSetup, strategy: string, measured: Measurement | null, reason = 'because'): Row {
  return {
    id: setupId(setup),
    setup,
    notation: printSetup(setup, app),
    strategy,
    reason,
    reasons: [{ change: 'checkout now calls cart inline', why: 'its caller waits for it & pays <twice>' }],
    measurement: measured,
  }
}

/** A whole run, as `optimize` would hand it to its views. @param cost null: a platform without enforced CPU shares */
export function exampleOutcome(cost: number | null = 24): Outcome {
  const first = row(
    remoteSetup(app, 128),
    'closure',
    measurement(237, cost && cost * 1.5),
    'every task is its own function',
  )
  const second = row(allFusedSetup(app, 128), 'closure', measurement(80, cost && cost * 0.9, 300), 'one function')
  const third = row(allFusedSetup(app, 768), 'closure', measurement(30, cost && cost * 0.8), 'memory 128 → 768 MB')
  const broken: Row = {
    ...row(remoteSetup(app, 256), 'closure', null),
    failure: 'sandbox <script>alert(1)</script> crashed',
  }
  const baseline = row(remoteSetup(app, 1024), 'remote@best', measurement(70, cost && cost * 1.7))
  const rounds = [first, second, broken, third]
  const spent = { cpuSeconds: 0.4, bytes: 120_000, usd: 0.000012 }
  return {
    app,
    startedAt: '2026-03-01T12:00:00.000Z',
    facts: {
      platform: 'local',
      memoryLadder: [128, 256, 768, 1024],
      mbPerCore: 1769,
      cpuShareEnforced: cost !== null,
      cpuShareReason: cost === null ? 'no cgroup is writable' : '',
      afterReply: 'runs',
      maxPayloadBytes: { call: 6e6, send: 1e6 },
      maxTimeoutMs: 900_000,
      prices: {
        name: 'AWS Lambda x86',
        date: '2026-01-01',
        perGbSecond: 0.0000166667,
        perRequest: 0.0000002,
        perGatewayRequest: 0.000001,
        billsInit: true,
        granularityMs: 1,
      },
      durability: 'journal',
      emulate: 'aws-lambda',
    },
    machine: { cpu: 'Example CPU', cores: 2, memoryGb: 8, node: 'v20.19.0', os: 'linux x64' },
    goal: { minimize: 'balanced' },
    strategy: 'closure',
    load: { profile: 'steady', rps: 50, requestsPerSetup: 300, warmUpSeconds: 2, seed: 1 },
    rounds,
    baselines: [baseline],
    bestId: third.id,
    converged: true,
    overhead: {
      ...spent,
      monitor: spent,
      optimizer: spent,
      deployer: spent,
      perMillionRequests: spent,
      deployments: 4,
      requestsSpent: 1600,
      seconds: 41,
    },
    emulation: null,
    verdict: judge(app, third, first, [...rounds, baseline]),
    figures: {
      first: { tasks: { cart: { perRequest: 1, ownMs: 3.2 } }, edges: {} },
      adopted: { tasks: { cart: { perRequest: 1, ownMs: 1.2 } }, edges: {} },
    },
    seconds: 131,
  }
}
