import type { Build } from '@fusionize/platform'
import { expect, it } from 'vitest'
import type { Buckets } from '../buckets/index.js'
import * as kind from '../sandbox/kinds.js'
import { Deployment } from './deployment.js'
import { Engine, type EnginePorts } from './engine.js'
import type { HostEvents } from './host.js'

/** An engine with one function, whose sandboxes are what the test says of them. */
function engineOfOne() {
  const hosts: HostEvents[] = []
  const channel = { post() {}, postSoon() {}, postLater() {}, hurry() {}, flush() {} }
  const ports = {
    startHost: (_: unknown, events: HostEvents) => {
      hosts.push(events)
      return { channel, limitCpu() {}, kill() {} }
    },
    orphan() {},
    record() {},
    held: () => undefined,
    buckets: { lease: () => false, gone() {}, ports: { large: { forSandbox: () => undefined } } } as unknown as Buckets,
  } as unknown as EnginePorts
  const limits = { capacity: 2, weightOf: () => 1, ceiling: 10, startsAtOnce: 2, queueLimit: 10 }
  const options = { timeoutMs: 1000, keepAliveMs: 1000, sampleCpuEvery: 10, dev: false, objects: '' }
  const engine = new Engine({ ...limits, ...options }, ports)
  const artifact = { function: 'f', tasks: ['f'], file: '', hash: '', bytes: 0, externals: [] }
  const spec = { tasks: ['f'], memory: 128, inline: {}, concurrency: 1, bundle: 1, parallel: 'loop', buckets: [] }
  const build = { app: { tasks: {} }, setup: { functions: { f: spec } }, artifacts: { f: artifact }, env: {} }
  return { engine, hosts, deployment: new Deployment('setup', build as unknown as Build, false, undefined) }
}

it('what a sandbox said is not heard after its end: it is run again, and would never be over', async () => {
  const { engine, hosts, deployment } = engineOfOne()
  const answers: boolean[] = []
  const request = { id: 'r', session: 's', task: 'f', mode: 'call' as const, external: true, attempt: 1 }
  const more = { deadline: Date.now() + 1000, limitMs: 1000, trace: '', parent: null, input: '1' }
  engine.submit(deployment, 'f', { ...request, ...more }, false, (ok) => answers.push(ok))
  const [host] = hosts as [HostEvents]
  host.message([kind.ready], [])
  expect(engine.open).toBe(1)
  host.exit({ code: null, signal: 'SIGKILL', outOfMemory: false })
  expect([answers, engine.open]).toEqual([[false], 0])
  host.message([kind.began, 'x:1', 'send-1', 's', 'f', Date.now() + 1000, '', '', 'send'], [])
  host.message([kind.begins, 'x:2', 'send-2'], [])
  expect(engine.open).toBe(0)
  await engine.drained()
  await engine.close()
})
